//! What stands at one place of somebody's sequence.

use lyceum_contracts::notification::{Notification, NotificationChange};
use serde_json::Value;

/// Every place has one of the two.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// The person was told something.
    Notification(Notification),
    /// Something became of what the person was told: a `NotificationChange`, as it is told. A
    /// change that this release does not know passes through as it is.
    Change {
        /// The place.
        seq: i64,
        /// The change, with its place.
        data: Value,
    },
}

impl Entry {
    /// Its place, from 1.
    pub(crate) const fn seq(&self) -> i64 {
        match self {
            Self::Notification(notification) => notification.seq,
            Self::Change { seq, .. } => *seq,
        }
    }
}

impl From<NotificationChange> for Entry {
    fn from(change: NotificationChange) -> Self {
        Self::Change {
            seq: change.seq(),
            data: told(change),
        }
    }
}

/// A change as it is told. Types of ours with text keys always become JSON.
pub(super) fn told(change: NotificationChange) -> Value {
    serde_json::to_value(change).unwrap_or_default()
}
