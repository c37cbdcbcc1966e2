//! The catalogue: courses are written as drafts, published, and read by everybody.
//!
//! Who may see and change a course is decided in `domain`; nothing here knows of enrolments but
//! the number of places taken.

pub(crate) mod changes;
pub(crate) mod commands;
pub(crate) mod domain;
pub(crate) mod handlers;
pub(crate) mod lock;
pub(crate) mod store;
pub(crate) mod text;
