//! Who is watching on this process: how a stream learns that there is something to read.
//!
//! The hub carries no notifications, only how far each watched person's sequence has come. A
//! person is known here while at least one stream of theirs is open, and each stream holds a
//! [`Seat`], which counts against the limits until it is dropped, however the stream ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lyceum_contracts::ids::UserId;
use lyceum_telemetry::metrics::{KeyValue, UpDownCounter, meter};
use tokio::sync::watch;

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
    open_streams: UpDownCounter<i64>,
}

#[derive(Debug, Default)]
struct Watched {
    /// How far each person's sequence has come, as far as this process knows; 0 until it hears.
    /// Each seat holds one receiver.
    heads: HashMap<UserId, watch::Sender<i64>>,
    streams: usize,
}

impl Hub {
    /// A hub without streams. Make it after telemetry has been set up.
    pub(crate) fn new(limits: Limits) -> Self {
        Self(Arc::new(Shared {
            limits,
            watched: Mutex::default(),
            open_streams: meter()
                .i64_up_down_counter("lyceum.live.streams")
                .with_unit("{stream}")
                .with_description("Live streams that are open.")
                .build(),
        }))
    }

    /// Takes a seat for one more stream of `user`.
    ///
    /// What is committed after this call wakes the seat; what was committed before can be read.
    pub(crate) fn join(&self, user: UserId) -> Result<Seat, Full> {
        let mut watched = self.watched();
        if watched.streams >= self.0.limits.per_node {
            return Err(Full::Node);
        }
        let seated = watched
            .heads
            .get(&user)
            .map_or(0, watch::Sender::receiver_count);
        if seated >= self.0.limits.per_user {
            return Err(Full::User);
        }
        watched.streams += 1;
        let head = watched.heads.entry(user).or_default().subscribe();
        self.0.open_streams.add(1, &sse());
        Ok(Seat {
            hub: self.clone(),
            user,
            head,
        })
    }

    /// Tells the streams of `user` that the sequence has come to `head_seq`. Older news is no news.
    pub(crate) fn wake(&self, user: UserId, head_seq: i64) {
        if let Some(head) = self.watched().heads.get(&user) {
            head.send_if_modified(|known| {
                let news = head_seq > *known;
                *known = head_seq.max(*known);
                news
            });
        }
    }

    /// Everybody with an open stream here.
    pub(crate) fn people(&self) -> Vec<UserId> {
        self.watched().heads.keys().copied().collect()
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn sse() -> [KeyValue; 1] {
    [KeyValue::new("lyceum.live.transport", "sse")]
}

/// The place of one open stream; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Seat {
    hub: Hub,
    user: UserId,
    head: watch::Receiver<i64>,
}

impl Seat {
    /// Whose stream this is.
    pub(crate) fn user(&self) -> UserId {
        self.user
    }

    /// Resolves once the sequence is known to go beyond `seq`.
    pub(crate) async fn beyond(&mut self, seq: i64) {
        if self.head.wait_for(|head| *head > seq).await.is_err() {
            // The hub keeps the sender while this seat exists; without one there is no more news.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut watched = self.hub.watched();
        watched.streams -= 1;
        // This seat still counts as a receiver.
        let is_last = watched
            .heads
            .get(&self.user)
            .is_some_and(|head| head.receiver_count() <= 1);
        if is_last {
            watched.heads.remove(&self.user);
        }
        drop(watched);
        self.hub.0.open_streams.add(-1, &sse());
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn hub(per_user: usize, per_node: usize) -> Hub {
        Hub::new(Limits { per_user, per_node })
    }

    fn person(id: i64) -> UserId {
        id.try_into().unwrap()
    }

    #[test]
    fn one_person_and_one_process_have_only_so_many_seats() {
        let hub = hub(2, 3);
        let first = hub.join(person(1)).unwrap();
        let _second = hub.join(person(1)).unwrap();
        assert_eq!(hub.join(person(1)).err(), Some(Full::User));
        let _third = hub.join(person(2)).unwrap();
        assert_eq!(hub.join(person(3)).err(), Some(Full::Node));
        drop(first);
        assert!(hub.join(person(1)).is_ok());
    }

    #[test]
    fn a_person_is_forgotten_with_the_last_seat() {
        let hub = hub(10, 10);
        let first = hub.join(person(1)).unwrap();
        let second = hub.join(person(1)).unwrap();
        drop(first);
        assert_eq!(hub.people(), [person(1)]);
        drop(second);
        assert_eq!(hub.people(), []);
        assert_eq!(hub.watched().streams, 0);
    }

    #[test]
    fn a_seat_wakes_for_what_is_new_to_it_and_for_nobody_else() {
        let hub = hub(10, 10);
        let mut mine = hub.join(person(1)).unwrap();
        let mut yours = hub.join(person(2)).unwrap();
        assert_eq!(mine.beyond(0).now_or_never(), None);
        hub.wake(person(1), 3);
        hub.wake(person(1), 2);
        assert_eq!(mine.beyond(0).now_or_never(), Some(()));
        assert_eq!(mine.beyond(2).now_or_never(), Some(()));
        assert_eq!(mine.beyond(3).now_or_never(), None);
        assert_eq!(yours.beyond(0).now_or_never(), None);
        hub.wake(person(3), 1);
    }
}
