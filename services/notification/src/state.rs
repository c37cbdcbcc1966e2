//! What every handler may use.

use std::sync::Arc;

use lyceum_chassis::auth::Revocations;
use lyceum_chassis::database::Database;

use crate::broadcasts::Broadcasts;
use crate::live::courses::Members;
use crate::live::socket::Patience;
use crate::live::{Hub, Pace};
use crate::mail::Mails;
use crate::webhooks::Webhooks;

/// The parts of a running service; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) database: Database,
    pub(crate) hub: Hub,
    /// Of courses.
    pub(crate) members: Members,
    pub(crate) mails: Mails,
    pub(crate) webhooks: Webhooks,
    pub(crate) broadcasts: Broadcasts,
    pub(crate) revocations: Revocations,
    pub(crate) pace: Pace,
    pub(crate) patience: Patience,
    /// Of pages on other hosts that may listen.
    pub(crate) allowed_origins: Arc<[String]>,
}
