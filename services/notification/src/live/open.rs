//! One open stream as the hub counts it, and what an admin is told of many.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use lyceum_contracts::ids::UserId;
use lyceum_contracts::live::{LiveStream, OpenStreams, Transport, Waiting};
use lyceum_contracts::role::Role;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use super::topic::Topic;

/// The place of a stream that has not begun: nothing waits for it.
const NOT_BEGUN: i64 = i64::MAX;

/// Shared by the hub, which reads it, and the seat, which writes it.
#[derive(Debug)]
pub(super) struct OpenStream {
    pub(super) topic: Topic,
    pub(super) user: UserId,
    pub(super) transport: Transport,
    opened_at: OffsetDateTime,
    /// Of the last entry handed out.
    place: AtomicI64,
    sent: AtomicU64,
    /// Of a stream that somebody may have to leave.
    pub(super) stay: Option<Stay>,
}

/// As long as it lasts somebody may listen to a course.
#[derive(Debug, Clone)]
pub(super) struct Stay {
    pub(super) role: Role,
    pub(super) ended: CancellationToken,
}

impl OpenStream {
    pub(super) fn new(
        topic: Topic,
        user: UserId,
        transport: Transport,
        stay: Option<Stay>,
        now: OffsetDateTime,
    ) -> Self {
        Self {
            topic,
            user,
            transport,
            opened_at: now,
            place: AtomicI64::new(NOT_BEGUN),
            sent: AtomicU64::new(0),
            stay,
        }
    }

    /// It goes on after this place.
    pub(super) fn begins_after(&self, place: i64) {
        self.place.store(place, Relaxed);
    }

    /// The entry at this place goes out.
    pub(super) fn sends(&self, place: i64) {
        self.place.store(place, Relaxed);
        self.sent.fetch_add(1, Relaxed);
    }

    /// How far it is behind a sequence that has come to `head`.
    fn waiting(&self, head: i64) -> u64 {
        u64::try_from(head - self.place.load(Relaxed)).unwrap_or(0)
    }
}

/// An open stream, and how much waits for it.
#[derive(Debug)]
pub(super) struct Behind {
    stream: Arc<OpenStream>,
    waiting: u64,
}

impl Behind {
    /// A stream of a sequence that has come to `head`.
    pub(super) fn of(stream: &Arc<OpenStream>, head: i64) -> Self {
        Self {
            stream: Arc::clone(stream),
            waiting: stream.waiting(head),
        }
    }
}

/// How many of them there are by transport, and how much waits.
pub(super) fn count(streams: &[Behind]) -> (OpenStreams, Waiting) {
    let (mut open, mut waiting) = (OpenStreams::default(), Waiting::default());
    for behind in streams {
        match behind.stream.transport {
            Transport::Sse => open.sse += 1,
            Transport::Websocket => open.websocket += 1,
        }
        waiting.total += behind.waiting;
        waiting.deepest = waiting.deepest.max(behind.waiting);
    }
    (open, waiting)
}

/// Those for which most waits, the oldest of them first, `limit` at most.
pub(super) fn furthest_behind(mut streams: Vec<Behind>, limit: usize) -> Vec<LiveStream> {
    streams.sort_unstable_by_key(|it| (Reverse(it.waiting), it.stream.opened_at, it.stream.user));
    let told = streams.into_iter().take(limit);
    told.map(|Behind { stream, waiting }| LiveStream {
        user_id: stream.user,
        course_id: stream.topic.course(),
        transport: stream.transport,
        opened_at: stream.opened_at,
        sent: stream.sent.load(Relaxed),
        waiting,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    fn stream(user: i64, transport: Transport, age_s: u64) -> Arc<OpenStream> {
        let opened_at = NOW - Duration::from_secs(age_s);
        let user = user.try_into().unwrap();
        let topic = Topic::Person(user);
        Arc::new(OpenStream::new(topic, user, transport, None, opened_at))
    }

    #[test]
    fn what_waits_is_what_was_written_since_the_last_entry_that_was_sent() {
        let stream = stream(1, Transport::Sse, 0);
        assert_eq!(stream.waiting(7), 0, "it has not begun");
        stream.begins_after(3);
        assert_eq!(stream.waiting(7), 4);
        stream.sends(4);
        assert_eq!(stream.waiting(7), 3);
        assert_eq!(stream.waiting(2), 0, "the hub has not heard of it yet");
    }

    #[test]
    fn those_that_are_furthest_behind_come_first_and_the_oldest_of_them() {
        let behind = |user, place, age_s| {
            let stream = stream(user, Transport::Websocket, age_s);
            stream.begins_after(place);
            Behind::of(&stream, 10)
        };
        let streams = || vec![behind(1, 10, 9), behind(2, 4, 1), behind(3, 4, 2)];
        let (open, waiting) = count(&streams());
        assert_eq!((open.sse, open.websocket), (0, 3));
        assert_eq!((waiting.total, waiting.deepest), (12, 6));
        let people = |limit| -> Vec<i64> {
            let told = furthest_behind(streams(), limit);
            told.iter().map(|it| it.user_id.get()).collect()
        };
        assert_eq!(people(10), [3, 2, 1]);
        assert_eq!(people(1), [3]);
    }
}
