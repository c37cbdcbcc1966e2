//! Who is calling, as types in a handler's signature.
//!
//! | extractor | who passes |
//! |---|---|
//! | [`CurrentUser`] | any person with a valid access token |
//! | [`Require<P>`] | a person whose role has the permission `P` |
//! | [`ServiceCaller`] | a service of the platform (`/internal/*`) |
//! | [`Caller`] | either of them |
//!
//! People carry Ed25519 tokens issued by the user service and verified everywhere from its JWKS;
//! services carry short HS256 tokens made by `lyceum-client`. Each kind is verified with its one
//! algorithm, so a token cannot choose how it is checked. A person's signature is checked once:
//! who comes again is known by the digest of the token, until it ends, is called in, or the keys
//! change.

mod authenticator;
mod caller;
mod keys;
mod metrics;
mod permission;
mod revocations;
mod settings;
mod token;
mod verified;

pub use self::authenticator::{Authenticator, Checked};
pub use self::caller::{Caller, CurrentUser, ServiceCaller};
pub use self::keys::UserKeys;
pub use self::permission::{Permission, Require};
pub use self::revocations::{Revocations, Watch};
pub use self::settings::AuthSettings;
pub use self::token::{AUDIENCE, Claims, ISSUER, LEEWAY, TOKEN_TYPE};
