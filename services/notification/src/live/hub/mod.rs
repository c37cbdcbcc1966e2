//! Who is watching on this process: how a stream learns that there is something to read.
//!
//! The hub knows how far each watched sequence has come, a person's or a course's, and keeps the
//! last few entries that were written while somebody watched, so that streams which keep up need
//! not ask the database. A sequence is known here while at least one stream of it is open, and each
//! stream holds a [`Seat`], which counts against the limits until it is dropped, however the
//! stream ends and whatever it is sent by.

mod seat;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lyceum_chassis::clock;
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_contracts::live::{Connections, StreamLimits, Transport};
use lyceum_contracts::notification::CourseNews;
use lyceum_contracts::role::Role;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(super) use self::seat::{Cut, Seat};
use super::heard::Heard;
use super::metrics::Metrics;
use super::open::{Behind, OpenStream, Stay, count, furthest_behind};
use super::replicas::News;
use super::told::Told;
use super::topic::Topic;
use crate::inbox::Entry;
use crate::presence::Changes;

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
    /// Of who is here, if that is written down.
    changes: Option<Changes>,
}

#[derive(Debug, Default)]
struct Watched {
    /// What the streams of each sequence know; each seat holds one receiver.
    sequences: HashMap<Topic, watch::Sender<Heard>>,
    /// The streams of each person, whatever they follow.
    people: HashMap<UserId, Vec<Arc<OpenStream>>>,
    streams: usize,
}

impl Hub {
    /// A hub without streams; what is told on it is `news` for other replicas, and who comes to it
    /// and leaves it are `changes`. Make it after telemetry has been set up.
    pub(crate) fn new(limits: Limits, news: Option<News>, changes: Option<Changes>) -> Self {
        Self(Arc::new(Shared {
            limits,
            watched: Mutex::default(),
            metrics: Metrics::new(),
            news,
            changes,
        }))
    }

    /// Takes a seat for one more stream of what `user` is told.
    ///
    /// What is committed after this call wakes the seat; what was committed before can be read.
    pub(super) fn join(&self, user: UserId, transport: Transport) -> Result<Seat, Full> {
        self.seat(Topic::Person(user), user, transport, None)
    }

    /// As [`Self::join`], for what happens in a course, until [`Self::leave`] ends it.
    pub(super) fn join_course(
        &self,
        course: CourseId,
        (user, role): (UserId, Role),
        transport: Transport,
    ) -> Result<Seat, Full> {
        let ended = CancellationToken::new();
        let stay = Some(Stay { role, ended });
        self.seat(Topic::Course(course), user, transport, stay)
    }

    fn seat(
        &self,
        topic: Topic,
        user: UserId,
        transport: Transport,
        stay: Option<Stay>,
    ) -> Result<Seat, Full> {
        let mut watched = self.watched();
        if watched.streams >= self.0.limits.per_node {
            return Err(Full::Node);
        }
        let seated = watched.people.get(&user).map_or(0, Vec::len);
        if seated >= self.0.limits.per_user {
            return Err(Full::User);
        }
        watched.streams += 1;
        let stream = OpenStream::new(topic, user, transport, stay, clock::now());
        let stream = Arc::new(stream);
        let streams = watched.people.entry(user).or_default();
        if let (true, Some(changes)) = (streams.is_empty(), &self.0.changes) {
            changes.came(user);
        }
        streams.push(Arc::clone(&stream));
        let heard = watched.sequences.entry(topic).or_default().subscribe();
        drop(watched);
        self.0.metrics.opened(transport);
        Ok(Seat {
            hub: self.clone(),
            stream,
            heard,
        })
    }

    /// Ends the streams of a course that `user` follows here.
    pub(super) fn leave(&self, course: CourseId, user: UserId) {
        let watched = self.watched();
        let streams = watched.people.get(&user).into_iter().flatten();
        streams
            .filter(|it| it.topic == Topic::Course(course))
            .filter_map(|it| it.stay.as_ref())
            .for_each(|stay| stay.ended.cancel());
    }

    /// Ends all streams of a course, which is gone.
    pub(crate) fn end_course(&self, course: CourseId) {
        self.forget(Topic::Course(course));
        for (_, user, _) in self.listeners().iter().filter(|it| it.0 == course) {
            self.leave(course, *user);
        }
    }

    /// As whom `user` follows a course here, if they do.
    pub(super) fn role_of(&self, course: CourseId, user: UserId) -> Option<Role> {
        let watched = self.watched();
        let mut streams = watched.people.get(&user)?.iter();
        let stream = streams.find(|it| it.topic == Topic::Course(course))?;
        stream.stay.as_ref().map(|stay| stay.role)
    }

    /// Who follows which course here.
    pub(super) fn listeners(&self) -> Vec<(CourseId, UserId, Role)> {
        let watched = self.watched();
        let streams = watched.people.values().flatten();
        let listeners = streams.filter_map(|it| {
            let (course, stay) = it.topic.course().zip(it.stay.as_ref())?;
            Some((course, it.user, stay.role))
        });
        listeners.collect()
    }

    /// Tells the streams of a sequence that it has come to `head_seq`. Older news is no news.
    pub(crate) fn wake(&self, topic: Topic, head_seq: i64) {
        if let Some(heard) = self.watched().sequences.get(&topic) {
            heard.send_if_modified(|heard| heard.advance(head_seq));
        }
    }

    /// How far a sequence is known to have come, if somebody watches it here.
    pub(super) fn head_of(&self, topic: Topic) -> Option<i64> {
        let watched = self.watched();
        watched
            .sequences
            .get(&topic)
            .map(|heard| heard.borrow().head)
    }

    /// Tells the streams of `user`, here and on other replicas, what was just committed. It is
    /// written out once for all that are here, and not at all when there are none.
    pub(crate) fn tell(&self, user: UserId, entry: &Entry) {
        self.told(Topic::Person(user), entry.seq(), || Told::new(entry));
    }

    /// As [`Self::tell`], for everybody who follows the course.
    pub(crate) fn tell_course(&self, news: &CourseNews) {
        self.told(Topic::Course(news.course_id), news.seq, || Told::news(news));
    }

    fn told(&self, topic: Topic, seq: i64, write: impl FnOnce() -> Told) {
        self.pass_on(topic, write);
        if let Some(news) = &self.0.news {
            news.add(topic, seq);
        }
    }

    /// Tells the streams that are here.
    pub(super) fn pass_on(&self, topic: Topic, write: impl FnOnce() -> Told) {
        if let Some(heard) = self.watched().sequences.get(&topic) {
            let told = Arc::new(write());
            heard.send_if_modified(|heard| heard.tell(&told, topic.keeps()));
        }
    }

    /// Keeps nothing of a sequence but its streams.
    pub(crate) fn forget(&self, topic: Topic) {
        if let Some(heard) = self.watched().sequences.get(&topic) {
            heard.send_if_modified(|heard| {
                heard.forget();
                false
            });
        }
    }

    /// Every sequence with an open stream here.
    pub(super) fn topics(&self) -> Vec<Topic> {
        self.watched().sequences.keys().copied().collect()
    }

    /// Everybody with an open stream here.
    pub(crate) fn people(&self) -> Vec<UserId> {
        self.watched().people.keys().copied().collect()
    }

    /// What an admin is told: everything in numbers, and `limit` streams one by one.
    pub(super) fn connections(&self, limit: usize) -> Connections {
        let watched = self.watched();
        let people = watched.people.len() as u64;
        let heads = watched.sequences.iter();
        let heads: HashMap<Topic, i64> = heads
            .map(|(it, heard)| (*it, heard.borrow().head))
            .collect();
        let courses = heads.keys().filter(|it| it.course().is_some()).count() as u64;
        let all = watched.people.values().flatten();
        let head_of = |topic| heads.get(topic).copied().unwrap_or_default();
        let streams: Vec<Behind> = all.map(|it| Behind::of(it, head_of(&it.topic))).collect();
        drop(watched);
        let (open, waiting) = count(&streams);
        let Limits { per_user, per_node } = self.0.limits;
        Connections {
            open,
            people,
            courses,
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use lyceum_contracts::notification::Notification;

    use super::*;

    fn hub(per_user: usize, per_node: usize) -> Hub {
        Hub::new(Limits { per_user, per_node }, None, None)
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
        assert_eq!(hub.topics(), [Topic::Person(person(1))]);
        drop(second);
        assert_eq!(hub.topics(), []);
        assert_eq!(hub.watched().people.len(), 0);
        assert_eq!(hub.watched().streams, 0);
    }

    #[test]
    fn a_seat_wakes_for_what_is_new_to_it_and_for_nobody_else() {
        let hub = hub(10, 10);
        let mut mine = join(&hub, 1).unwrap();
        let mut yours = join(&hub, 2).unwrap();
        assert_eq!(mine.beyond(0).now_or_never(), None);
        hub.wake(mine.topic(), 3);
        hub.wake(mine.topic(), 2);
        assert_eq!(mine.beyond(0).now_or_never(), Some(()));
        assert_eq!(mine.beyond(2).now_or_never(), Some(()));
        assert_eq!(mine.beyond(3).now_or_never(), None);
        assert_eq!(yours.beyond(0).now_or_never(), None);
        hub.wake(Topic::Person(person(3)), 1);
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
        hub.forget(seat.topic());
        assert_eq!(places(&seat.heard_after(19)), [0; 0]);
    }

    #[test]
    fn the_streams_of_a_course_count_for_each_of_its_listeners_and_are_left_one_by_one() {
        let hub = hub(2, 10);
        let course = 7.try_into().unwrap();
        let listens = |id| {
            let listener = (person(id), Role::Student);
            hub.join_course(course, listener, Transport::Websocket)
        };
        let (ada, mut bob) = (listens(1).unwrap(), listens(2).unwrap());
        let _own = join(&hub, 1).unwrap();
        assert_eq!(listens(1).err(), Some(Full::User));
        let mut listeners: Vec<_> = hub.listeners().iter().map(|it| it.1.get()).collect();
        listeners.sort_unstable();
        assert_eq!(listeners, [1, 2]);
        // A person and a course of one number are two.
        hub.wake(Topic::Person(person(7)), 3);
        assert_eq!(bob.beyond(0).now_or_never(), None);
        hub.wake(Topic::Course(course), 3);
        assert_eq!(bob.beyond(0).now_or_never(), Some(()));
        assert_eq!(hub.head_of(Topic::Course(course)), Some(3));
        hub.leave(course, person(1));
        assert!(ada.stay().unwrap().is_cancelled());
        assert!(!bob.stay().unwrap().is_cancelled());
        drop((ada, bob));
        assert_eq!(hub.head_of(Topic::Course(course)), None);
        assert_eq!(hub.listeners(), []);
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
