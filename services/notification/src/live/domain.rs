//! Where a stream begins, and what is said on it besides notifications. Pure.

use std::time::Duration;

use lyceum_contracts::notification::UnreadCount;
use serde::Serialize;
use utoipa::ToSchema;

/// How far a sequence has come, and how much of it waits to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// The last number given out; 0 before the first notification.
    pub(crate) head_seq: i64,
    /// Up to here some of it is deleted, because its time was over.
    pub(crate) floor_seq: i64,
    /// Unread notifications; none where nothing is read.
    pub(crate) count: Option<UnreadCount>,
}

/// The place in a sequence where a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// Everything after this number is sent.
    pub(crate) after: i64,
    /// Whether that is everything the client has not seen.
    pub(crate) recovered: bool,
}

impl Start {
    /// After the last event the client says it has seen, or at the head when it says nothing, or
    /// nothing that can be gone on from: a word, a number that was never given out, or one from so
    /// long ago that some of what followed is deleted.
    /// It cannot name another person's events, because it only names a place in its own.
    pub(crate) fn after(last_event_id: Option<&str>, position: &Position) -> Self {
        Self::after_place(last_event_id.and_then(place), position)
    }

    /// As [`Self::after`], for a place that came as a number.
    pub(crate) fn after_place(last_seq: Option<i64>, position: &Position) -> Self {
        let Position {
            floor_seq,
            head_seq,
            ..
        } = *position;
        match last_seq {
            Some(after) if (floor_seq..=head_seq).contains(&after) => Self {
                after,
                recovered: true,
            },
            _ => Self {
                after: head_seq,
                recovered: false,
            },
        }
    }
}

/// Digits alone, as the `id` of an event is written.
fn place(id: &str) -> Option<i64> {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|_| digits)
}

/// When the client of a process that leaves shall come back: all its streams end together, their
/// clients shall not return together.
pub(super) fn come_back_in(retry: Duration) -> Duration {
    let millis = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
    retry + Duration::from_millis(fastrand::u64(0..=millis))
}

/// Data of the first event of every stream, `sync`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SyncEvent {
    /// `true`: every notification and every change after the `Last-Event-ID` follows. `false`: the
    /// stream begins at the head, and what came before is in the inbox.
    pub(crate) recovered: bool,
    /// The newest place in the sequence when the stream began.
    pub(crate) head_seq: i64,
    /// Unread notifications at that moment, what follows up to `head_seq` included; 99 at most.
    /// Absent on the stream of a course.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) unread: Option<u64>,
    /// Whether there are more than that. Absent on the stream of a course.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) capped: Option<bool>,
}

/// Data of the event `bye`, after which the server ends the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ByeEvent {
    /// Why.
    pub(crate) reason: ByeReason,
}

/// Why a stream ends that its client has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ByeReason {
    /// Come back with a new access token.
    TokenExpired,
    /// The access token was called in: refresh the session, or sign in again if it has ended.
    TokenRevoked,
    /// The person is in the course no more, or it was deleted.
    NotAMember,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn position(floor_seq: i64, head_seq: i64) -> Position {
        let count = UnreadCount {
            unread: 0,
            capped: false,
        };
        Position {
            head_seq,
            floor_seq,
            count: Some(count),
        }
    }

    #[test]
    fn a_client_that_says_nothing_true_begins_at_the_head() {
        let head = Start {
            after: 7,
            recovered: false,
        };
        let none = [
            None,
            Some(""),
            Some("abc"),
            Some("8"),
            Some("999999999"),
            Some("-1"),
            Some("+3"),
            Some("3 "),
            Some("9223372036854775808"),
        ];
        for id in none {
            assert_eq!(Start::after(id, &position(0, 7)), head, "{id:?}");
        }
    }

    #[test]
    fn a_client_from_before_what_is_kept_begins_at_the_head() {
        let (after, recovered) = (7, false);
        let head = Start { after, recovered };
        assert_eq!(Start::after_place(Some(4), &position(5, 7)), head);
        let (after, recovered) = (5, true);
        let floor = Start { after, recovered };
        assert_eq!(Start::after_place(Some(5), &position(5, 7)), floor);
    }

    proptest! {
        #[test]
        fn a_client_that_has_seen_a_place_begins_after_it(seen in 0..=1000_i64, more in 0..1000_i64) {
            let start = Start::after(Some(&seen.to_string()), &position(0, seen + more));
            prop_assert_eq!(start, Start { after: seen, recovered: true });
        }

        #[test]
        fn no_stream_begins_beyond_the_head(id in ".{0,24}", head in 0..=i64::MAX) {
            let start = Start::after(Some(&id), &position(0, head));
            prop_assert!((0..=head).contains(&start.after));
        }
    }
}
