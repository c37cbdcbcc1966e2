//! Work whose caller has gone ends with it: at most 50 ms later, on every service.
//!
//! Each test brings a service into the middle of real work, lets the caller give up, and measures
//! until the far end has stopped: a peer sees its connection closed, the request's SERVER span has
//! ended, Postgres has nobody waiting. Both ends are read from the clock of this process, and the
//! figures are printed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and print, as tests do"
)]

mod caller;
mod lags;
mod scene;

mod databases;
mod hops;
mod peers;
