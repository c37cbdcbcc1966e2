//! What admins do: ask for a broadcast, and cancel one.

use std::sync::Arc;

use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::http::Answer;
use lyceum_chassis::idempotency::{Begun, Keyed, KeyedError};
use lyceum_client::CourseClient;
use lyceum_contracts::broadcast::{AudienceKind, Broadcast};
use lyceum_contracts::ids::{BroadcastId, UserId};
use lyceum_contracts::job::JobStatus;
use lyceum_telemetry::context;
use sea_orm::{NotSet, Set};
use time::OffsetDateTime;
use tokio::sync::Notify;

use super::requests::{Audience, NewBroadcast};
use super::{report, store};
use crate::entity::broadcast::{ActiveModel, Model};

/// Where broadcasts are asked for; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Broadcasts {
    bell: Arc<Notify>,
    courses: CourseClient,
}

/// Why a broadcast was not taken on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PostError {
    #[error("is no course there is")]
    NoSuchCourse,
    #[error(transparent)]
    Keyed(#[from] KeyedError),
}

/// Why a broadcast was not cancelled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CancelError {
    #[error("there is no such broadcast")]
    Missing,
    #[error("the broadcast has ended already")]
    Finished,
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<Model> for Answer {
    fn from(broadcast: Model) -> Self {
        let location = format!("/broadcasts/{}", broadcast.id);
        Self::accepted(location, &Broadcast::from(broadcast))
    }
}

impl Broadcasts {
    /// Prepares it.
    pub(super) fn new(courses: CourseClient) -> Self {
        Self {
            bell: Arc::default(),
            courses,
        }
    }

    pub(super) async fn woken(&self) {
        self.bell.notified().await;
    }

    /// Writes what is to be told, once per key.
    ///
    /// Whether there is such a course is asked at once, for the sake of who mistypes an id. When
    /// the course service does not answer, the broadcast is taken on all the same, and fails later
    /// if there is none.
    pub(super) async fn post(
        &self,
        database: &Database,
        keyed: Keyed,
        author: UserId,
        new: NewBroadcast,
        now: OffsetDateTime,
    ) -> Result<Answer, PostError> {
        if let Some(answer) = keyed.answered(database).await? {
            return Ok(answer);
        }
        let row = ActiveModel {
            total: Set(self.total(&new.audience).await?),
            ..row(author, new, now)?
        };
        let transaction = match keyed.begin(database, now).await? {
            Begun::First(transaction) => transaction,
            Begun::Again(answer) => return Ok(answer),
        };
        let broadcast = store::insert(&transaction, row)
            .await
            .map_err(KeyedError::from)?;
        let (id, audience) = (broadcast.id, broadcast.audience);
        let answer = transaction.commit(broadcast).await;
        let answer = answer.map_err(KeyedError::from)?;
        self.bell.notify_one();
        report::asked_for(id, audience, author);
        Ok(answer)
    }

    /// How many it is for, if that can be known at once.
    async fn total(&self, audience: &Audience) -> Result<Option<i64>, PostError> {
        let total = match audience {
            Audience::All => None,
            Audience::Users(ids) => i64::try_from(ids.len()).ok(),
            Audience::Course(course) => match self.courses.enrolled_in(*course, None, 1).await {
                Ok(Some(page)) => i64::try_from(page.total).ok(),
                Ok(None) => return Err(PostError::NoSuchCourse),
                Err(_) => None,
            },
        };
        Ok(total)
    }
}

fn row(author: UserId, new: NewBroadcast, now: OffsetDateTime) -> Result<ActiveModel, KeyedError> {
    let (audience, course_id, user_ids) = match new.audience {
        Audience::All => (AudienceKind::All, None, None),
        Audience::Course(course) => (AudienceKind::Course, Some(course), None),
        Audience::Users(ids) => {
            let ids = serde_json::to_value(ids).map_err(|error| DbErr::Json(error.to_string()))?;
            (AudienceKind::Users, None, Some(ids))
        }
    };
    Ok(ActiveModel {
        id: NotSet,
        author_id: Set(Some(author)),
        audience: Set(audience),
        course_id: Set(course_id),
        user_ids: Set(user_ids),
        title: Set(new.title),
        body: Set(new.body),
        link: Set(new.link),
        collapse_key: Set(new.collapse_key),
        status: Set(JobStatus::Queued),
        after_id: Set(0),
        told: Set(0),
        skipped: Set(0),
        total: Set(None),
        error: Set(None),
        attempts: Set(0),
        claims: Set(0),
        due_at: Set(now),
        traceparent: Set(context::traceparent()),
        created_at: Set(now),
        updated_at: Set(now),
    })
}

/// Ends a broadcast after the step that is under way; one that was cancelled before stays so.
pub(super) async fn cancel(
    database: &Database,
    admin: UserId,
    id: BroadcastId,
    now: OffsetDateTime,
) -> Result<(), CancelError> {
    if store::cancel(database, id, now).await? {
        report::cancelled(id, admin);
        return Ok(());
    }
    match store::find(database, id).await? {
        None => Err(CancelError::Missing),
        Some(broadcast) if broadcast.status == JobStatus::Cancelled => Ok(()),
        Some(_) => Err(CancelError::Finished),
    }
}
