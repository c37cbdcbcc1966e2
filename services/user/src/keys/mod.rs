//! Access tokens: the keys that sign them, one after the other, and the list of those called in
//! before they end.
//!
//! A rotation writes a row of `signing_keys` (`rotation`); every process reads the rows
//! ([`Keeper`]) and finds by the clock which key signs and which are published (`ring`).
//!
//! A command that ends sessions or changes what an account may do writes a revocation in its own
//! transaction ([`revoke`]). The feed gives it a place in the list, tells this process, and lets
//! the other services ask for it.

mod feed;
pub(crate) mod handlers;
mod issuer;
mod keeper;
pub(crate) mod revoke;
mod ring;
pub(crate) mod rotate_keys;
mod rotation;
mod signing_key;
mod store;

pub(crate) use self::feed::Feed;
pub(crate) use self::issuer::Issuer;
pub(crate) use self::keeper::Keeper;
pub(crate) use self::signing_key::MasterKey;
