//! What people do with a notification, and what is said of it. Pure.

use lyceum_contracts::ids::NotificationId;
use lyceum_contracts::notification::{NotificationChange, UnreadCount};

use crate::entity::notification::Model;

/// The highest count there is; what is more is told as such, and never counted.
const COUNTED: u64 = 99;

/// Rows that must be looked at to count: one more than is told.
pub(crate) const ROWS_TO_COUNT: u64 = COUNTED + 1;

/// The count as people see it, of up to [`ROWS_TO_COUNT`] rows.
pub(crate) const fn counted(rows: u64) -> UnreadCount {
    UnreadCount {
        unread: if rows > COUNTED { COUNTED } else { rows },
        capped: rows > COUNTED,
    }
}

/// What a person does with one notification.
///
/// It waits to be read, is read, or is put away; what is put away counts as read, and what is
/// marked as unread is in the inbox again. So each of them makes one of three states of whatever
/// was before, and a client that applies them to something newer still ends with what is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Read,
    Unread,
    Archive,
    Unarchive,
}

impl Action {
    /// Whether it would change nothing.
    pub(super) const fn is_done(self, row: &Model) -> bool {
        match self {
            Self::Read => row.read_at.is_some(),
            Self::Unread => row.read_at.is_none(),
            Self::Archive => row.archived_at.is_some(),
            Self::Unarchive => row.archived_at.is_none(),
        }
    }

    /// What the person's streams are told at the place `seq`.
    pub(super) const fn told(
        self,
        seq: i64,
        id: NotificationId,
        count: UnreadCount,
    ) -> NotificationChange {
        match self {
            Self::Read => NotificationChange::Read { seq, id, count },
            Self::Unread => NotificationChange::Unread { seq, id, count },
            Self::Archive => NotificationChange::Archived { seq, id, count },
            Self::Unarchive => NotificationChange::Unarchived { seq, id, count },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_99_are_told_as_99_and_more() {
        for (rows, unread, capped) in [
            (0, 0, false),
            (1, 1, false),
            (99, 99, false),
            (ROWS_TO_COUNT, 99, true),
        ] {
            assert_eq!(counted(rows), UnreadCount { unread, capped }, "{rows}");
        }
    }
}
