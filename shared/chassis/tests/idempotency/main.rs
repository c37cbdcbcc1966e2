//! Keyed requests over real HTTP and on a real database: what has its effect once, and what is
//! forgotten.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod duplicates;
mod keys;
mod ledger;
mod pruning;
