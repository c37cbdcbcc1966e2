//! Each person's notifications: listed, counted and read.
//!
//! Everything here starts from the person: what belongs to another is not found. Rows are written
//! by `events`, which also moves the sequence.

pub(crate) mod handlers;
mod listing;
pub(crate) mod store;
