//! One service as a process of its own, and everything around it that can be wrong: at the start
//! one clear line and exit code 1, later the right answer, and no restart to recover.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod service;

mod alone;
mod disk;
mod migrating;
mod roles;
mod server;
mod settings;
mod starting;
