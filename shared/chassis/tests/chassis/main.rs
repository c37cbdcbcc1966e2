//! The chassis from outside: a small service over real HTTP, in its good and its bad hours.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod bakery;

mod answers;
mod breakers;
mod callers;
mod deadlines;
mod faults;
mod lasting;
mod leaving;
mod operators;
mod pages;
mod requests;
mod upstreams;
