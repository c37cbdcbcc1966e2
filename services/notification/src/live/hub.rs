//! Who is watching on this process: how a stream learns that there is something to read.
//!
//! The hub knows how far each watched person's sequence has come, and keeps the last few
//! notifications that were written while somebody watched, so that streams which keep up need not
//! ask the database. A person is known here while at least one stream of theirs is open, and each
//! stream holds a [`Seat`], which counts against the limits until it is dropped, however the
//! stream ends and whatever it is sent by.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lyceum_chassis::clock;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::live::{Connections, StreamLimits, Transport};
use tokio::sync::watch;

use super::heard::Heard;
use super::metrics::Metrics;
use super::open::{Behind, OpenStream, count, furthest_behind};
use super::replicas::News;
use super::told::Told;
use crate::inbox::Entry;

/// The most streams that may be open on this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Of one person.
    pub(crate) per_user: usize,
    /// Of everybody.
    pub(crate) per_node: usize,
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    /// The person has as many streams as one may have.
    #[error("you have as many streams open as one person may have")]
    User,
    /// The process has as many streams as it can hold.
    #[error("this process holds as many streams as it may")]
    Node,
}

/// The streams of this process; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: Limits,
    watched: Mutex<Watched>,
    metrics: Metrics,
    /// For the other replicas, if there can be any.
    news: Option<News>,
}

#[derive(Debug, Default)]
struct Watched {
    people: HashMap<UserId, Watcher>,
    streams: usize,
}

/// A person with open streams.
#[derive(Debug, Default)]
struct Watcher {
    /// What the streams know; each seat holds one receiver.
    heard: watch::Sender<Heard>,
    /// One for each seat.
    streams: Vec<Arc<OpenStream>>,
}

impl Hub {
    /// A hub without streams; what is told on it is `news` for other replicas. Make it after
    /// telemetry has been set up.
    pub(crate) fn new(limits: Limits, news: Option<News>) -> Self {
        Self(Arc::new(Shared {
            limits,
            watched: Mutex::default(),
            metrics: Metrics::new(),
            news,
        }))
    }

    /// Takes a seat for one more stream of `user`.
    ///
    /// What is committed after this call wakes the seat; what was committed before can be read.
    pub(super) fn join(&self, user: UserId, transport: Transport) -> Result<Seat, Full> {
        let mut watched = self.watched();
        if watched.streams >= self.0.limits.per_node {
            return Err(Full::Node);
        }
        let seated = watched.people.get(&user).map_or(0, |it| it.streams.len());
        if seated >= self.0.limits.per_user {
            return Err(Full::User);
        }
        watched.streams += 1;
        let stream = Arc::new(OpenStream::new(user, transport, clock::now()));
        let watcher = watched.people.entry(user).or_default();
        watcher.streams.push(Arc::clone(&stream));
        let heard = watcher.heard.subscribe();
        drop(watched);
        self.0.metrics.opened(transport);
        Ok(Seat {
            hub: self.clone(),
            stream,
            heard,
        })
    }

    /// Tells the streams of `user` that the sequence has come to `head_seq`. Older news is no news.
    pub(crate) fn wake(&self, user: UserId, head_seq: i64) {
        if let Some(watcher) = self.watched().people.get(&user) {
            let heard = &watcher.heard;
            heard.send_if_modified(|heard| heard.advance(head_seq));
        }
    }

    /// Tells the streams of `user`, here and on other replicas, what was just committed. It is
    /// written out once for all that are here, and not at all when there are none.
    pub(crate) fn tell(&self, user: UserId, entry: &Entry) {
        if let Some(watcher) = self.watched().people.get(&user) {
            let told = Arc::new(Told::new(entry));
            watcher.heard.send_if_modified(|heard| heard.tell(&told));
        }
        if let Some(news) = &self.0.news {
            news.add(user, entry.seq());
        }
    }

    /// Keeps nothing of `user` but the streams.
    pub(crate) fn forget(&self, user: UserId) {
        if let Some(watcher) = self.watched().people.get(&user) {
            watcher.heard.send_if_modified(|heard| {
                heard.forget();
                false
            });
        }
    }

    /// Everybody with an open stream here.
    pub(super) fn people(&self) -> Vec<UserId> {
        self.watched().people.keys().copied().collect()
    }

    /// What an admin is told: everything in numbers, and `limit` streams one by one.
    pub(super) fn connections(&self, limit: usize) -> Connections {
        let watched = self.watched();
        let people = watched.people.len() as u64;
        let mut streams = Vec::with_capacity(watched.streams);
        for watcher in watched.people.values() {
            let head = watcher.heard.borrow().head;
            streams.extend(watcher.streams.iter().map(|it| Behind::of(it, head)));
        }
        drop(watched);
        let (open, waiting) = count(&streams);
        let Limits { per_user, per_node } = self.0.limits;
        Connections {
            open,
            people,
            limits: StreamLimits {
                per_user: per_user as u64,
                per_node: per_node as u64,
            },
            waiting,
            cuts: self.0.metrics.cuts(),
            streams: furthest_behind(streams, limit),
        }
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one open stream; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Seat {
    hub: Hub,
    stream: Arc<OpenStream>,
    heard: watch::Receiver<Heard>,
}

impl Seat {
    /// Whose stream this is.
    pub(super) fn user(&self) -> UserId {
        self.stream.user
    }

    /// The stream goes on after this place.
    pub(super) fn begins_after(&self, seq: i64) {
        self.stream.begins_after(seq);
    }

    /// Tells all streams of this person how far the sequence has come.
    pub(super) fn wake(&self, head_seq: i64) {
        self.hub.wake(self.user(), head_seq);
    }

    /// Resolves once the sequence is known to go beyond `seq`.
    pub(super) async fn beyond(&mut self, seq: i64) {
        if self.heard.wait_for(|heard| heard.head > seq).await.is_err() {
            // The hub keeps the sender while this seat exists; without one there is no more news.
            std::future::pending::<()>().await;
        }
    }

    /// What comes after `seq`, as far as it is kept; nothing when it must be read.
    pub(super) fn heard_after(&self, seq: i64) -> Vec<Arc<Told>> {
        self.heard.borrow().after(seq)
    }

    /// Counts the entry that goes out.
    pub(super) fn delivered(&self, seq: i64) {
        self.stream.sends(seq);
        self.hub.0.metrics.delivered(self.stream.transport);
    }

    /// For the one who ends the stream.
    pub(super) fn cut(&self) -> Cut {
        Cut {
            hub: self.hub.clone(),
            transport: self.stream.transport,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut watched = self.hub.watched();
        watched.streams -= 1;
        if let Slot::Occupied(mut watcher) = watched.people.entry(self.user()) {
            let streams = &mut watcher.get_mut().streams;
            streams.retain(|it| !Arc::ptr_eq(it, &self.stream));
            if streams.is_empty() {
                watcher.remove();
            }
        }
        drop(watched);
        self.hub.0.metrics.closed(self.stream.transport);
    }
}

/// Counts why the server ended a stream.
#[derive(Debug)]
pub(super) struct Cut {
    hub: Hub,
    transport: Transport,
}

impl Cut {
    /// `reason` is one of a closed set.
    pub(super) fn because(&self, reason: &'static str) {
        self.hub.0.metrics.ended(self.transport, reason);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use lyceum_contracts::notification::Notification;

    use super::*;

    fn hub(per_user: usize, per_node: usize) -> Hub {
        Hub::new(Limits { per_user, per_node }, None)
    }

    fn person(id: i64) -> UserId {
        id.try_into().unwrap()
    }

    fn join(hub: &Hub, id: i64) -> Result<Seat, Full> {
        hub.join(person(id), Transport::Sse)
    }

    fn notification(seq: i64) -> Entry {
        Entry::Notification(Notification {
            id: seq.try_into().unwrap(),
            seq,
            kind: "enrolment.created".to_owned(),
            title: "You are enrolled".to_owned(),
            body: String::new(),
            data: serde_json::json!({}),
            created_at: time::macros::datetime!(2026-01-02 03:04:05 UTC),
            read_at: None,
            archived_at: None,
            expires_at: None,
        })
    }

    fn places(told: &[Arc<Told>]) -> Vec<i64> {
        told.iter().map(|told| told.seq()).collect()
    }

    #[test]
    fn one_person_and_one_process_have_only_so_many_seats() {
        let hub = hub(2, 3);
        let first = join(&hub, 1).unwrap();
        let _second = join(&hub, 1).unwrap();
        assert_eq!(join(&hub, 1).err(), Some(Full::User));
        let _third = join(&hub, 2).unwrap();
        assert_eq!(join(&hub, 3).err(), Some(Full::Node));
        drop(first);
        assert!(join(&hub, 1).is_ok());
    }

    #[test]
    fn a_person_is_forgotten_with_the_last_seat() {
        let hub = hub(10, 10);
        let first = join(&hub, 1).unwrap();
        let second = join(&hub, 1).unwrap();
        drop(first);
        assert_eq!(hub.people(), [person(1)]);
        drop(second);
        assert_eq!(hub.people(), []);
        assert_eq!(hub.watched().streams, 0);
    }

    #[test]
    fn a_seat_wakes_for_what_is_new_to_it_and_for_nobody_else() {
        let hub = hub(10, 10);
        let mut mine = join(&hub, 1).unwrap();
        let mut yours = join(&hub, 2).unwrap();
        assert_eq!(mine.beyond(0).now_or_never(), None);
        hub.wake(person(1), 3);
        hub.wake(person(1), 2);
        assert_eq!(mine.beyond(0).now_or_never(), Some(()));
        assert_eq!(mine.beyond(2).now_or_never(), Some(()));
        assert_eq!(mine.beyond(3).now_or_never(), None);
        assert_eq!(yours.beyond(0).now_or_never(), None);
        hub.wake(person(3), 1);
    }

    #[test]
    fn what_was_told_is_kept_without_gaps_and_only_so_much_of_it() {
        let hub = hub(10, 10);
        let seat = join(&hub, 1).unwrap();
        let tell = |seq| hub.tell(person(1), &notification(seq));
        tell(1);
        tell(2);
        assert_eq!(places(&seat.heard_after(0)), [1, 2]);
        assert_eq!(places(&seat.heard_after(1)), [2]);
        // 4 has overtaken 3, which is then left to the database.
        tell(4);
        tell(3);
        assert_eq!(places(&seat.heard_after(2)), [0; 0]);
        assert_eq!(places(&seat.heard_after(3)), [4]);
        (5..=20).for_each(tell);
        assert_eq!(places(&seat.heard_after(12)), (13..=20).collect::<Vec<_>>());
        assert_eq!(places(&seat.heard_after(11)), [0; 0]);
        hub.forget(person(1));
        assert_eq!(places(&seat.heard_after(19)), [0; 0]);
    }

    #[test]
    fn all_streams_of_a_person_share_one_text() {
        let hub = hub(10, 10);
        let (one, other) = (join(&hub, 1).unwrap(), join(&hub, 1).unwrap());
        hub.tell(person(1), &notification(1));
        let (one, other) = (one.heard_after(0), other.heard_after(0));
        assert_eq!(one[0].event().as_ptr(), other[0].event().as_ptr());
        assert_eq!(one[0].frame().as_ptr(), other[0].frame().as_ptr());
    }
}
