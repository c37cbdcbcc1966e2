//! What every handler may use; built once, cloned into each worker.

use lyceum_chassis::database::Database;
use lyceum_outbox::Waker;

use crate::people::People;

/// The service's database, its view of the user service, and the bell of its outbox.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) database: Database,
    pub(crate) people: People,
    /// Rung after a commit that promises to tell something.
    pub(crate) outbox: Waker,
}
