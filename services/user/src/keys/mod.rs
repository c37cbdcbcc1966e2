//! Which access tokens count: the list of those called in before they end.
//!
//! A command that ends sessions or changes what an account may do writes a revocation in its own
//! transaction ([`revoke`]). The feed gives it a place in the list, tells this process, and lets
//! the other services ask for it.

mod feed;
pub(crate) mod handlers;
pub(crate) mod revoke;
mod store;

pub(crate) use self::feed::Feed;
