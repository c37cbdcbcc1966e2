//! The notification service over real HTTP, on a real database, as people and services use it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a broken kit, or an answer that lacks something, must stop the test"
)]

mod access;
mod batches;
mod broadcasts;
mod connections;
mod courses;
mod description;
mod duplicates;
mod inbox;
mod inbox_actions;
mod inbox_kept;
mod inbox_live;
mod inbox_mirror;
mod intake;
mod ledger;
mod live;
mod live_ends;
mod live_socket;
mod live_socket_ends;
mod live_socket_faults;
mod mail;
mod page;
mod peers;
mod platform;
mod preferences;
mod presence;
mod process;
mod protocol;
mod replicas;
mod socket;
mod tickets;
mod traces;
mod webhooks;
