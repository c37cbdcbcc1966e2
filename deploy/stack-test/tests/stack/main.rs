//! What must be true of the running stack, each test a sentence of its own.
//!
//! `make stack-test` starts the stack, runs these one after the other and takes it down. They are
//! ignored elsewhere: without the stack there is nothing to ask.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking, as tests do, and show what they saw"
)]

mod attempts;
mod checkout;
mod databases;
mod figures;
mod healthy;
mod images;
mod leaving;
mod outages;
mod production;
mod profiles;
mod readme;
mod refusals;
mod replicas;
mod traces;
