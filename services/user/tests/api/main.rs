//! The user service over real HTTP, on a real database, with scripted peers.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests stop the test as the tests themselves do"
)]

mod access;
mod accounts;
mod admin;
mod announcements;
mod audit;
mod bulk;
mod clock;
mod commands;
mod create_admin;
mod description;
mod directory;
mod email_change;
mod events;
mod export;
mod hashing;
mod imports;
mod imports_killed;
mod invitations;
mod jobs;
mod jobs_shared;
mod keys;
mod letters;
mod limits;
mod listing;
mod lists;
mod lookup;
mod neighbour;
mod overview;
mod passwords;
mod people;
mod platform;
mod protocol;
mod registration;
mod resets;
mod revocation;
mod rotation;
mod session_ends;
mod session_list;
mod sessions;
mod signing_keys;
mod standing;
mod timing;
