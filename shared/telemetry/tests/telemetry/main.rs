//! What leaves the process, seen through spans captured in memory: names, attributes, statuses, parents, log lines.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

mod attempt;
mod context;
mod database;
mod postgres;
mod server;
mod support;
