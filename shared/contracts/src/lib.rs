//! What crosses a wire: ids, requests, responses, events and problems.
//!
//! Every type here is read or written by at least two parties: a service and its callers.
//! Nothing here does I/O, knows a framework or holds a rule of the domain; the services parse
//! requests into their own domain types, which cannot hold a wrong value.
//!
//! | module | what |
//! |---|---|
//! | [`ids`] | typed 64-bit ids |
//! | [`user`], [`course`], [`notification`] | requests and responses of one service each |
//! | [`audit`] | what is kept of security events |
//! | [`job`] | work that takes longer than a request |
//! | [`mailed_link`] | links in letters: asking for one, following it, writing its letter |
//! | [`delivery`] | letters as admins see them: what became of each |
//! | [`broadcast`] | one notice to many people, and how far it is |
//! | [`live`] | open live streams as admins see them |
//! | [`webhook`] | receivers of webhooks, and what became of each message |
//! | [`presence`] | who is there, and when last |
//! | [`preferences`] | what somebody wants to be told by which channel |
//! | [`bulk`] | many accounts in one request |
//! | [`revocation`] | access tokens that stop counting before they end |
//! | [`event`] | what happened, told through the outbox |
//! | [`problem`] | RFC 9457 errors, one vocabulary for all services |
//! | [`page`] | the shape of every list |
//! | [`schema`] | what texts look like, for descriptions of an API |
//! | [`header`] | header names of our own |

pub mod audit;
pub mod broadcast;
pub mod bulk;
pub mod course;
pub mod delivery;
pub mod event;
pub mod header;
pub mod ids;
pub mod job;
pub mod live;
pub mod mailed_link;
pub mod notification;
pub mod page;
pub mod preferences;
pub mod presence;
pub mod problem;
pub mod revocation;
pub mod role;
pub mod schema;
pub mod user;
pub mod webhook;
mod words;
