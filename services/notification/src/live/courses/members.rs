//! Whether somebody is in a course: the course service knows, and is asked now and then.
//!
//! Of many who want to know the same at once one asks. People who listen are asked about again as
//! often as an answer is believed, many in one call, and at once when one of them has given up a
//! place; while the course service is away they go on listening.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lyceum_client::{ClientError, CourseClient};
use lyceum_contracts::course::MAX_MEMBERS;
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_contracts::role::Role;
use moka::Expiry;
use moka::future::Cache;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::domain::{Access, Standing};
use super::settings::CoursesSettings;
use crate::live::hub::Hub;

/// The course service's answers; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Members {
    courses: CourseClient,
    known: Cache<(CourseId, UserId), Standing>,
    every: Duration,
    changed: Arc<Changed>,
}

/// Whose place in which course has changed, as somebody has told.
#[derive(Debug, Default)]
struct Changed {
    places: Mutex<HashSet<(CourseId, UserId)>>,
    some: Notify,
}

impl Changed {
    /// Those of them who listen; nobody is left to be looked at.
    fn listening(&self, hub: &Hub) -> Vec<(CourseId, UserId, Role)> {
        let places = std::mem::take(&mut *self.places());
        let listening = places.into_iter().filter_map(|(course, user)| {
            let role = hub.role_of(course, user)?;
            Some((course, user, role))
        });
        listening.collect()
    }

    fn places(&self) -> MutexGuard<'_, HashSet<(CourseId, UserId)>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why somebody may not listen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAdmitted {
    #[error("you are not in this course")]
    NotAMember,
    #[error("there is no such course, or not for this person")]
    NoSuchCourse,
    #[error("who is in the course cannot be asked now")]
    Unknown(#[source] Arc<ClientError>),
}

/// How long which answer is believed.
#[derive(Debug)]
struct Believed(CoursesSettings);

impl Expiry<(CourseId, UserId), Standing> for Believed {
    fn expire_after_create(
        &self,
        _: &(CourseId, UserId),
        standing: &Standing,
        _: std::time::Instant,
    ) -> Option<Duration> {
        Some(match standing {
            Standing::Member => self.0.member_for(),
            Standing::Stranger { .. } | Standing::NoCourse => self.0.stranger_for(),
        })
    }

    fn expire_after_update(
        &self,
        key: &(CourseId, UserId),
        standing: &Standing,
        now: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(key, standing, now)
    }
}

impl Members {
    pub(crate) fn new(courses: CourseClient, settings: CoursesSettings) -> Self {
        let known = Cache::builder()
            .max_capacity(settings.remembered)
            .expire_after(Believed(settings))
            .build();
        Self {
            courses,
            known,
            every: settings.member_for(),
            changed: Arc::default(),
        }
    }

    /// Goes on when somebody may listen to the course.
    pub(super) async fn admit(
        &self,
        course: CourseId,
        (user, role): (UserId, Role),
    ) -> Result<(), NotAdmitted> {
        let ask = async {
            let members = self.courses.members_among(course, &[user]).await?;
            Ok(Standing::of(members.as_ref(), user))
        };
        // Boxed: what it takes to wait for another's answer is large, and streams are many.
        let known = Box::pin(self.known.try_get_with((course, user), ask));
        match known.await.map_err(NotAdmitted::Unknown)?.access(role) {
            Access::Granted => Ok(()),
            Access::Refused => Err(NotAdmitted::NotAMember),
            Access::NoSuchCourse => Err(NotAdmitted::NoSuchCourse),
        }
    }

    /// Somebody has taken a place or given one up: they are to be asked about again, at once if
    /// they listen.
    pub(crate) async fn changed(&self, course: CourseId, user: UserId) {
        self.known.invalidate(&(course, user)).await;
        self.changed.places().insert((course, user));
        self.changed.some.notify_one();
    }

    /// Ends the streams of those who are in the course no more, until it is told to stop.
    pub(crate) async fn watch(self, hub: Hub, stop: CancellationToken) {
        let mut failing = false;
        let mut round = interval_at(Instant::now() + self.every, self.every);
        round.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let listeners = tokio::select! {
                () = stop.cancelled() => return,
                () = self.changed.some.notified() => self.changed.listening(&hub),
                _ = round.tick() => hub.listeners(),
            };
            if listeners.is_empty() {
                continue;
            }
            let looked = self.look(&hub, listeners).await;
            // One line when it begins, not one per round.
            if let (Err(error), false) = (&looked, failing) {
                let error = error as &dyn std::error::Error;
                tracing::warn!(
                    event = "live.members_unknown",
                    error,
                    "who has left a course may go on listening"
                );
            }
            failing = looked.is_err();
        }
    }

    async fn look(
        &self,
        hub: &Hub,
        listeners: Vec<(CourseId, UserId, Role)>,
    ) -> Result<(), ClientError> {
        let mut courses: BTreeMap<CourseId, Vec<(UserId, Role)>> = BTreeMap::new();
        for (course, user, role) in listeners {
            courses.entry(course).or_default().push((user, role));
        }
        let mut looked = Ok(());
        for (course, people) in courses {
            for people in people.chunks(MAX_MEMBERS) {
                // One course that cannot be asked about does not keep the others from it.
                looked = self.look_at(hub, course, people).await.and(looked);
            }
        }
        looked
    }

    async fn look_at(
        &self,
        hub: &Hub,
        course: CourseId,
        people: &[(UserId, Role)],
    ) -> Result<(), ClientError> {
        let ids: Vec<UserId> = people.iter().map(|(user, _)| *user).collect();
        let members = self.courses.members_among(course, &ids).await?;
        for (user, role) in people {
            let standing = Standing::of(members.as_ref(), *user);
            self.known.insert((course, *user), standing).await;
            if standing.access(*role) != Access::Granted {
                hub.leave(course, *user);
            }
        }
        Ok(())
    }
}
