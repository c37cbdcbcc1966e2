//! Asks everybody at once, and makes do with whoever answers.
//!
//! The account is this service's own: without it there is no answer. Courses, figures and unread
//! count belong to peers; one that fails, or is too slow for what the caller still grants, leaves
//! its part empty and is named with its reason. The clients keep the time: each call ends before
//! the request's own deadline does.

use std::time::{Duration, SystemTime};

use futures_util::{join, try_join};
use lyceum_chassis::database::DbErr;
use lyceum_client::{ClientError, Freshness, Reading};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::{Degraded, Overview, OverviewParts, PartAge, User};
use time::OffsetDateTime;

use crate::accounts;
use crate::state::State;

/// Why there is no overview at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OverviewError {
    #[error("there is no such account")]
    NoSuchUser,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// An overview, and how old the oldest of its parts is.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) overview: Overview,
    pub(super) age: Duration,
}

/// One person's overview. A missing account ends it at once, whatever the peers still do.
pub(super) async fn gather(
    state: &State,
    id: UserId,
    freshness: Freshness,
) -> Result<Gathered, OverviewError> {
    let courses = state.courses.reading(freshness);
    let notifications = state.notifications.reading(freshness);
    let account = async {
        let account = accounts::store::find_visible(&state.database, id).await?;
        account.ok_or(OverviewError::NoSuchUser)
    };
    let parts = async {
        Ok(join!(
            courses.enrolments_of(id),
            courses.stats_of(id),
            notifications.unread_count_of(id),
        ))
    };
    let (account, (courses, stats, unread)) = try_join!(account, parts)?;
    let mut notes = Notes::default();
    let (courses, courses_age) = notes.part("courses", courses);
    let (stats, stats_age) = notes.part("stats", stats);
    let (unread, unread_age) = notes.part("unread", unread);
    let overview = Overview {
        user: User::from(account),
        courses: courses.unwrap_or_default(),
        stats,
        unread: unread.map(|count| count.unread),
        degraded: notes.degraded,
        parts: OverviewParts {
            courses: courses_age,
            stats: stats_age,
            unread: unread_age,
        },
    };
    let age = notes.oldest;
    Ok(Gathered { overview, age })
}

/// What is noted while the parts are put together.
#[derive(Debug, Default)]
struct Notes {
    degraded: Vec<Degraded>,
    oldest: Duration,
}

impl Notes {
    /// What a peer gave and how old it is, or nothing and a line that says why.
    fn part<T>(
        &mut self,
        name: &'static str,
        answer: Result<Reading<T>, ClientError>,
    ) -> (Option<T>, Option<PartAge>) {
        match answer {
            Ok(reading) => {
                if reading.stale {
                    self.degrade(name, "stale");
                }
                self.oldest = self.oldest.max(reading.age);
                let age = PartAge {
                    kept_since: reading.kept_since.map(whole_seconds),
                    stale: reading.stale,
                };
                (Some(reading.value), Some(age))
            }
            Err(error) => {
                let reason = error.reason();
                tracing::warn!(event = "overview.degraded", part = name, reason, %error, "a part is missing");
                self.degrade(name, reason);
                (None, None)
            }
        }
    }

    fn degrade(&mut self, part: &str, reason: &str) {
        self.degraded.push(Degraded {
            part: part.to_owned(),
            reason: reason.to_owned(),
        });
    }
}

fn whole_seconds(moment: SystemTime) -> OffsetDateTime {
    let moment = OffsetDateTime::from(moment);
    moment.replace_nanosecond(0).unwrap_or(moment)
}
