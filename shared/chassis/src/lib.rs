//! What a service needs to boot, answer and stop.
//!
//! A service implements [`Service`] and gets the rest: settings from four sources, a migrated
//! database, two listeners, problems for every failure, tokens checked, background tasks owned,
//! and an orderly end. Its `main` is one line:
//!
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     lyceum_chassis::cli::run::<lyceum_user::App>()
//! }
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`settings`] | typed settings, and errors that name the key |
//! | [`service`] | the trait, and [`Chassis::build`](service::Chassis::build) |
//! | [`lifecycle`], [`tasks`] | the end, and what must end |
//! | [`http`] | extractors and the one error of handlers |
//! | [`idempotency`] | a POST that has its effect once, however often it is sent |
//! | [`retention`] | rows whose time is over |
//! | [`claims`] | rows that are work, and the loops that do it |
//! | [`limits`] | how often something may be done |
//! | [`auth`] | who is calling |
//! | [`server`] | the listeners |
//! | [`database`] | the service's own database |
//! | [`cli`] | the subcommands |

pub mod auth;
pub mod claims;
pub mod cli;
pub mod clock;
pub mod database;
pub mod http;
pub mod idempotency;
pub mod lifecycle;
pub mod limits;
pub mod openapi;

mod panics;
mod probe;
pub mod retention;
pub mod server;
pub mod service;
pub mod settings;
pub mod tasks;

pub use lifecycle::Lifecycle;
pub use service::{Chassis, Service, StartupError};
