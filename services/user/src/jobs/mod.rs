//! Work that goes on after its request was answered: asked for, watched, cancelled, done.
//!
//! A command writes a job beside whatever it is about, in one transaction ([`commands::enqueue`]).
//! A [`Runner`] of any replica claims it and does its [`Work`] step by step.
//!
//! # Promises
//!
//! - **Each step has its effect once.** A step is one transaction: its first statement proves that
//!   the claim is still the newest and holds the row, its last moves the cursor. Killed at any
//!   moment, the job goes on after the last step that was committed, here or on another replica.
//! - **Nobody else works on it.** A claim is a lease with a number. Each step prolongs it; once it
//!   has ended, another replica may claim the job, and the older claim can commit nothing more.
//! - **It ends.** A step that fails is tried again after a growing pause, `jobs.attempts` times in
//!   a row at most; a job that takes its process down is given up after as many beginnings.
//! - **It stops between steps**: at shutdown, to be gone on with, and when it is cancelled.

pub(crate) mod commands;
pub(crate) mod handlers;
mod kinds;
mod metrics;
mod retention;
mod runner;
mod settings;
pub(crate) mod store;
mod work;
mod worker;

pub(crate) use self::kinds::Kinds;
pub(crate) use self::retention::pruner;
pub use self::runner::{Claim, Runner, Stepped};
pub(crate) use self::settings::JobSettings;
pub(crate) use self::work::{Step, Task, Work};
