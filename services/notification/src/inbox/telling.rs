//! Notices on their way into inboxes, many at once.

use std::collections::BTreeMap;

use lyceum_contracts::ids::UserId;
use lyceum_contracts::notification::{NotificationChange, UnreadCount};
use sea_orm::{ConnectionTrait, DbErr};
use time::OffsetDateTime;

use super::domain::counted;
use super::entry::Entry;
use super::{changes, store};
use crate::entity::notification::Model;
use crate::events::domain::Notice;
use crate::sequence;

/// How many places notices take, of each recipient's sequence.
pub(crate) fn places(notices: &[Notice]) -> BTreeMap<UserId, i64> {
    let mut places = BTreeMap::new();
    for notice in notices {
        *places.entry(notice.recipient).or_default() += 1;
    }
    places
}

/// Puts notices at the end of their recipients' inboxes, each in place of what waits there under the
/// same key. What the streams are to be told after the commit, of each person in order; nothing
/// where the inbox is closed.
///
/// `heads` is what [`sequence::take`] has answered to [`places`] in this transaction. A notice with a
/// key is the first that is told its recipient: what is unread after the one it replaces is counted
/// before any notice is written.
pub(crate) async fn tell(
    transaction: &impl ConnectionTrait,
    mut notices: Vec<Notice>,
    mut heads: BTreeMap<UserId, i64>,
    now: OffsetDateTime,
) -> Result<Vec<(UserId, Entry)>, DbErr> {
    notices.retain(|notice| heads.contains_key(&notice.recipient));
    let mut taken = places(&notices);
    let mut replaced = store::remove_waiting(transaction, &notices).await?;
    let mut counts = BTreeMap::new();
    if !replaced.is_empty() {
        // Their deletion is told as well, at places of its own.
        let mut more = BTreeMap::new();
        for ((person, _), rows) in &replaced {
            let rows = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            *more.entry(*person).or_default() += rows;
            *taken.entry(*person).or_default() += rows;
        }
        heads.extend(sequence::take(transaction, &more).await?);
        counts = store::count_unread_each(transaction, more.keys().copied(), now).await?;
    }
    let mut next = |person: UserId| {
        let left = taken.entry(person).or_default();
        *left -= 1;
        heads.get(&person).copied().unwrap_or_default() - *left
    };
    let (mut placed, mut changes, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for notice in notices {
        let person = notice.recipient;
        let key = notice.collapse_key.clone().map(|key| (person, key));
        let older = key.and_then(|key| replaced.remove(&key));
        for row in older.into_iter().flatten() {
            let count = counts.get(&person).copied().unwrap_or(counted(0));
            let burial = burial(&row, next(person), count);
            changes.extend(burial.map(|change| (person, change)));
            entries.push((person, burial[1].into()));
        }
        placed.push((notice, next(person)));
    }
    changes::record(transaction, &changes, now).await?;
    let written = store::insert(transaction, placed, now).await?;
    entries.extend(
        written
            .into_iter()
            .map(|(person, it)| (person, Entry::Notification(it))),
    );
    // Of one person what was replaced comes before what replaces it.
    entries.sort_by_key(|(person, entry)| (*person, entry.seq()));
    Ok(entries)
}

/// What is said of a row that was taken out: at its own place that it is gone, for those who come
/// to it later, and at the place `seq` that it was deleted, for those who have seen it.
pub(super) const fn burial(row: &Model, seq: i64, count: UnreadCount) -> [NotificationChange; 2] {
    let id = row.id;
    [
        NotificationChange::Gone { seq: row.seq, id },
        NotificationChange::Deleted { seq, id, count },
    ]
}
