//! The course service: a catalogue of courses, and who is enrolled in them.
//!
//! | module | what |
//! |---|---|
//! | `app` | builds the service: the one door for production, tests and the all-in-one |
//! | [`settings`] | its own sections of the settings |
//! | `routes` | the whole API on one screen |
//! | `catalogue` | courses: written as drafts, published, listed |
//! | `enrolments` | places in a course: taken, given up, listed, counted |
//! | `people` | whether somebody has an account, as the user service says |
//! | `events` | what happened in the other services, taken in once |
//! | `error` | each outcome of a command as a problem |
//! | `entity`, `migration` | the tables |

mod app;
mod catalogue;
mod enrolments;
mod entity;
mod error;
mod events;
mod migration;
mod openapi;
mod people;
mod routes;
pub mod settings;
mod state;

pub use app::App;
