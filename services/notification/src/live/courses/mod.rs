//! What happens in a course, live, for everybody in it.
//!
//! A course has one sequence, as a person has. What is told is written once, whoever listens; all
//! streams of the course read it, out of the hub or out of the database, on either transport. Who
//! may listen is the course service's to say: it is asked when a stream is opened, unless it was
//! asked a moment ago, and about everybody who listens every now and then.

mod commands;
pub(crate) mod domain;
pub(crate) mod handlers;
mod members;
mod retention;
mod settings;
pub(super) mod store;

pub(crate) use commands::{erase, tell};
pub(crate) use members::{Members, NotAdmitted};
pub(crate) use retention::pruner;
pub use settings::CoursesSettings;
