//! What every handler may use.

use lyceum_chassis::auth::Revocations;
use lyceum_chassis::database::Database;

use crate::live::{Hub, Pace};
use crate::mail::Mails;

/// The parts of a running service; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) database: Database,
    pub(crate) hub: Hub,
    pub(crate) mails: Mails,
    pub(crate) revocations: Revocations,
    pub(crate) pace: Pace,
}
