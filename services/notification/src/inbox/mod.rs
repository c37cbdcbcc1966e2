//! Each person's notifications: listed, counted, read, put away and deleted.
//!
//! Everything here starts from the person: what belongs to another is not found. Whatever is
//! written takes a place in the person's [sequence](crate::sequence), a notification or a change
//! (`changes`), so that a stream which tells the places in order tells all that became of the inbox.

mod changes;
mod commands;
pub(crate) mod domain;
mod entry;
pub(crate) mod handlers;
mod listing;
mod requests;
pub(crate) mod retention;
pub(crate) mod settings;
pub(crate) mod store;
mod telling;

pub(crate) use commands::{ReadAllError, erase};
pub(crate) use entry::Entry;
pub(crate) use telling::{places, tell};
