//! Who is there: whose streams are open, on whichever replica, and when each was last.
//!
//! A replica writes down who comes to it and who has left it, many at once and not at every moment
//! (`keeper`), and that it lives itself. So somebody costs a row while they are there and nothing
//! besides, however often they come back; and of a replica that is killed all are gone when its
//! lease ends, with one row. Who has just left counts as there for some seconds: a page that is
//! loaded anew is no leave.

mod changes;
mod domain;
pub(crate) mod handlers;
mod keeper;
mod requests;
mod retention;
mod settings;
pub(crate) mod store;

pub(crate) use changes::Changes;
pub(crate) use keeper::Keeper;
pub(crate) use retention::pruner;
pub use settings::PresenceSettings;
