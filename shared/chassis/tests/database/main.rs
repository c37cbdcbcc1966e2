//! The database of the chassis, on a real one: `SQLite` by default, Postgres when
//! `LYCEUM_TEST_ENGINE` says so. What must hold on both engines is written once.
#![expect(clippy::unwrap_used, reason = "a broken kit stops the test")]

mod claims;
mod constraints;
mod kept;
mod losing;
mod migrations;
mod pruning;
mod rows;
mod starting;
mod support;
mod times;
mod writing;
