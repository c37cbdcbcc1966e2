//! Telling everybody something: asked for by an admin, done by a job that walks over all accounts.
//!
//! Everybody who may sign in when the walk begins gets one `announcement.posted`, in the order of
//! their accounts. At most `announcements.at_once` people are under way at any moment: that many
//! are read, and their events and the place to go on from are written in one transaction.

pub(crate) mod commands;
mod domain;
pub(crate) mod handlers;
mod requests;
mod settings;
mod store;
mod work;

pub(crate) use self::settings::AnnouncementSettings;
pub(crate) use self::work::Announce;
