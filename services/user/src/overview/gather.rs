//! Asks everybody at once, and makes do with whoever answers.
//!
//! The account is this service's own: without it there is no answer. Courses, figures and unread
//! count belong to peers; one that fails, or is too slow for what the caller still grants, leaves
//! its part empty and is named with its reason. The clients keep the time: each call ends before
//! the request's own deadline does.

use std::time::Duration;

use futures_util::{join, try_join};
use lyceum_chassis::database::DbErr;
use lyceum_client::ClientError;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::{Degraded, Overview, User};

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
pub(super) async fn gather(state: &State, id: UserId) -> Result<Gathered, OverviewError> {
    let account = async {
        let account = accounts::store::find_visible(&state.database, id).await?;
        account.ok_or(OverviewError::NoSuchUser)
    };
    let parts = async {
        Ok(join!(
            state.courses.enrolments_of(id),
            state.courses.stats_of(id),
            state.notifications.unread_count_of(id),
        ))
    };
    let (account, (courses, stats, unread)) = try_join!(account, parts)?;
    let mut degraded = Vec::new();
    let courses = part("courses", courses, &mut degraded);
    let stats = part("stats", stats, &mut degraded);
    let unread = part("unread", unread, &mut degraded);
    let age = stats.as_ref().map_or(Duration::ZERO, |stats| stats.age);
    if stats.as_ref().is_some_and(|stats| stats.stale) {
        degraded.push(Degraded {
            part: "stats".to_owned(),
            reason: "stale".to_owned(),
        });
    }
    let overview = Overview {
        user: User::from(account),
        courses: courses.unwrap_or_default(),
        stats: stats.map(|stats| stats.value),
        unread: unread.map(|count| count.unread),
        degraded,
    };
    Ok(Gathered { overview, age })
}

/// What a peer gave, or nothing and a line that says why.
fn part<T>(
    name: &'static str,
    answer: Result<T, ClientError>,
    degraded: &mut Vec<Degraded>,
) -> Option<T> {
    match answer {
        Ok(value) => Some(value),
        Err(error) => {
            let reason = error.reason();
            tracing::warn!(event = "overview.degraded", part = name, reason, %error, "a part is missing");
            degraded.push(Degraded {
                part: name.to_owned(),
                reason: reason.to_owned(),
            });
            None
        }
    }
}
