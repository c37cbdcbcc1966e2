//! The user service: accounts, sessions, and everything about one person in one answer.
//!
//! It alone knows passwords and addresses, and it alone issues access tokens; the other services
//! verify those with the keys it publishes and ask it for contacts.
//!
//! | module | what |
//! |---|---|
//! | `app` | builds the service: the one door for production, tests and the all-in-one |
//! | [`settings`] | its own sections of the settings |
//! | `routes`, `openapi` | the whole API on one screen, and its description |
//! | `accounts` | who there is: registered, read, changed, listed, looked up |
//! | `sessions` | who is signed in: refresh tokens that rotate |
//! | `keys` | access tokens: the keys that sign them in turn, and those called in |
//! | `password` | what a password must be, and how it is kept |
//! | `email_change` | another address, confirmed by mail |
//! | `invitations` | accounts made for somebody else, who accepts by mail |
//! | `links` | links that are mailed: asked for, written, followed once |
//! | `overview` | one person's account, courses, figures and unread count, gathered concurrently |
//! | [`limits`] | how often people may try |
//! | `bulk` | many accounts in one request |
//! | `audit` | security events, kept for admins |
//! | `jobs` | work that goes on after its request was answered |
//! | `import` | many people invited at once, from a list |
//! | `announcements` | everybody told something |
//! | `error` | each outcome of a command as a problem |
//! | `entity`, `migration` | the tables |

mod accounts;
mod announcements;
mod app;
mod audit;
mod bulk;
mod email_change;
mod entity;
mod error;
mod import;
mod invitations;
mod jobs;
mod keys;
pub mod limits;
mod links;
mod migration;
mod openapi;
mod overview;
mod password;
mod routes;
mod sessions;
pub mod settings;
mod state;
#[cfg(test)]
mod test_database;

pub use app::App;
pub use jobs::{Claim, Runner, Stepped};
pub use state::State;
