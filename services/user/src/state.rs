//! What every handler may use; built once, cloned into each worker.

use std::sync::Arc;

use lyceum_chassis::database::Database;
use lyceum_client::{CourseClient, NotificationClient};
use lyceum_outbox::Waker;
use tokio::sync::Notify;

use crate::keys::{Feed, Issuer};
use crate::limits::Limits;
use crate::password::Hasher;
use crate::sessions::Policy;

/// The service's database, its secrets at work, and its peers.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) database: Database,
    pub(crate) hasher: Hasher,
    pub(crate) limits: Limits,
    pub(crate) issuer: Issuer,
    pub(crate) sessions: Policy,
    pub(crate) revocations: Feed,
    pub(crate) outbox: Waker,
    /// Rung after the commit of a job.
    pub(crate) jobs: Arc<Notify>,
    /// Lines of one import.
    pub(crate) import_lines: u64,
    pub(crate) courses: CourseClient,
    pub(crate) notifications: NotificationClient,
}
