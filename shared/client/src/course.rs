//! Calls to the course service.

use lyceum_contracts::course::{
    CourseMembers, EnrolledCourse, EnrolledPage, LookupMembers, UserStats,
};
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_contracts::notification::{EventBatch, EventReceipt};
use lyceum_contracts::page::{MAX_LIMIT, Page};

use crate::walk::in_order;
use crate::{
    ClientError, Freshness, Identity, Malformation, Reading, SettingsError, Upstream,
    UpstreamSettings,
};

/// The course service, as its peers call it. Cheap to clone; clones share connections and breaker.
#[derive(Debug, Clone)]
pub struct CourseClient {
    upstream: Upstream,
    freshness: Freshness,
}

impl CourseClient {
    /// Checks the settings and prepares the connection pool; sends nothing.
    pub fn new(settings: &UpstreamSettings, identity: &Identity) -> Result<Self, SettingsError> {
        Upstream::new("course", settings, identity).map(Self::from)
    }

    /// The policies and their state, for the operations listener.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The same client, whose reads take kept answers or not.
    #[must_use]
    pub fn reading(&self, freshness: Freshness) -> Self {
        Self {
            upstream: self.upstream.clone(),
            freshness,
        }
    }

    /// Tells of events, at most [`MAX_BATCH`](lyceum_contracts::event::MAX_BATCH) at a time. Each
    /// has its effect once, however often it is told.
    pub async fn publish(&self, batch: &EventBatch) -> Result<EventReceipt, ClientError> {
        let call = self
            .upstream
            .post("course.publish", "/internal/events", batch);
        call.keyed().json().await
    }

    /// The courses somebody is enrolled in: the first page of the largest size, 1000 courses.
    /// They may be as old as the section `cache` of the upstream allows.
    pub async fn enrolments_of(
        &self,
        user: UserId,
    ) -> Result<Reading<Vec<EnrolledCourse>>, ClientError> {
        let path = format!("/users/{user}/courses?limit={MAX_LIMIT}");
        let call = self.upstream.get_cached("course.enrolments_of", path);
        let page: Reading<Page<_>> = call.with(self.freshness).read().await?;
        Ok(page.map(|page| page.items))
    }

    /// The next people who hold a place in `course`, after `after` by id; `None` when there is no
    /// such course.
    pub async fn enrolled_in(
        &self,
        course: CourseId,
        after: Option<UserId>,
        limit: u64,
    ) -> Result<Option<EnrolledPage>, ClientError> {
        let from = after.map_or(0, UserId::get);
        let path = format!("/internal/courses/{course}/enrolments?after={from}&limit={limit}");
        let call = self.upstream.get("course.enrolled_in", path);
        match call.json::<EnrolledPage>().await {
            Ok(page) => {
                in_order(after, page.items.iter().copied(), page.next_after)?;
                Ok(Some(page))
            }
            Err(error) if error.refused_with() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Which of `people`, 1 to [`MAX_MEMBERS`](lyceum_contracts::course::MAX_MEMBERS) of them, are
    /// in `course`; `None` when there is no such course.
    pub async fn members_among(
        &self,
        course: CourseId,
        people: &[UserId],
    ) -> Result<Option<CourseMembers>, ClientError> {
        let ids = people.to_vec();
        let path = format!("/internal/courses/{course}/members/lookup");
        let call = self
            .upstream
            .post("course.members_among", path, &LookupMembers { ids });
        match call.idempotent().json::<CourseMembers>().await {
            Ok(members) if members.items.iter().any(|it| !people.contains(it)) => {
                Err(ClientError::Malformed(Malformation::SomebodyElse))
            }
            Ok(members) => Ok(Some(members)),
            Err(error) if error.refused_with() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Somebody's figures, which may be as old as the section `cache` of the upstream allows.
    pub async fn stats_of(&self, user: UserId) -> Result<Reading<UserStats>, ClientError> {
        self.upstream
            .get_cached("course.stats_of", format!("/users/{user}/stats"))
            .with(self.freshness)
            .read()
            .await
    }
}

impl From<Upstream> for CourseClient {
    fn from(upstream: Upstream) -> Self {
        Self {
            upstream,
            freshness: Freshness::Kept,
        }
    }
}
