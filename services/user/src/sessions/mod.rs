//! Who is signed in: a login opens a session, refreshing continues it, logging out ends it.
//!
//! A session is a family of refresh tokens of which only the newest is unspent. Access tokens are
//! signed and kept nowhere; they count until they expire.

mod access_token;
pub(crate) mod commands;
mod domain;
mod ending;
pub(crate) mod handlers;
mod store;

pub(crate) use self::access_token::{Issuer, SigningKey};
pub(crate) use self::ending::EndReason;
