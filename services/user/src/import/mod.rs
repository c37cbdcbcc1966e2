//! Many people at once: a list is uploaded, and a job invites everybody on it.
//!
//! The body is received in bounded memory: one line, and a chunk of at most 500, are held. Chunks
//! are written as they fill, under an upload that no job knows yet; the last thing a good upload
//! does is to write its job, in one transaction with its `Idempotency-Key`. A body that breaks off,
//! or is refused, has no job, and what was written of it is deleted.
//!
//! A step of the job takes one chunk: accounts, invitations and events are written, and the chunk
//! is deleted, together. So each line has its effect once, and no line outlives it.

mod body;
pub(crate) mod commands;
mod domain;
pub(crate) mod handlers;
mod settings;
mod store;
mod work;

pub(crate) use self::body::{BodyError, MAX_LINE};
pub(crate) use self::settings::ImportSettings;
pub(crate) use self::store::prune;
pub(crate) use self::work::Import;
