//! The notification service: it is told what happened, and tells the people it concerns.
//!
//! | module | what |
//! |---|---|
//! | `app` | builds the service: the one door for production, tests and the all-in-one |
//! | [`settings`] | its own sections of the settings |
//! | `routes` | the whole API on one screen |
//! | `events` | takes in what happened, once, and decides who is told what |
//! | `inbox` | each person's notifications: listed, counted, read, put away, deleted |
//! | `live` | the same notifications as they come, on Server-Sent Events or a WebSocket |
//! | `mail` | letters: caused with an event, written when their turn comes, sent until a server has them |
//! | `webhooks` | the same events for other people's machines: registered, signed, sent until they are accepted |
//! | `broadcasts` | one notice to many people: asked for, told a few at a time, once each |
//! | `presence` | who is there: on a stream of any replica, or when last |
//! | `sequence` | the places in which everything is told, of each person and each course |
//! | `schedule` | when what failed is tried again, and when it is dead |
//! | `preferences` | what people want letters of, and an end to them with one click |
//! | `page` | the live page of development, a client like any other |
//! | `error` | each refusal as a problem |
//! | `entity`, `migration` | the tables |
//!
//! Every notification, and everything its recipient does with it, has a place in the recipient's own
//! sequence, counted from 1 without gaps in the transaction that writes it. The database is the
//! truth; a stream is a view of it that can be resumed at any place.

mod app;
mod broadcasts;
mod entity;
mod error;
mod events;
mod inbox;
mod live;
mod mail;
mod migration;
mod openapi;
mod page;
mod preferences;
mod presence;
mod routes;
mod schedule;
mod sequence;
pub mod settings;
mod state;
#[cfg(test)]
mod test_database;
mod webhooks;

pub use app::App;
