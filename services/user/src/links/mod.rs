//! Links that are mailed: each proves once that whoever follows it reads the mail of an account.
//!
//! A link is asked for in the transaction that needs it, together with the event that has its
//! letter written. Its token is made only then, when the sender of the mail asks for it
//! (`POST /internal/mailed-links/{id}/token`); of the token nothing but a digest is kept, so no
//! table, event or log ever holds what opens an account. The sender also puts token and base
//! URL together: what stands in a request, its `Host` included, never reaches a letter.
//!
//! Whatever a link is good for begins a transaction, lets [`commands::redeem`] spend the link in
//! it, and writes what follows beside it.

pub(crate) mod commands;
mod domain;
pub(crate) mod handlers;
mod retention;
mod store;

pub(crate) use self::domain::Token;
pub(crate) use self::retention::pruner;
