//! Requests and responses of the course service.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::{CourseId, EnrolmentId, UserId};
use crate::schema;

/// Body of `POST /courses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreateCourse {
    /// 1 to 200 characters, one line.
    #[schema(schema_with = schema::course_title)]
    pub title: String,
    /// Up to 10 000 characters.
    #[serde(default)]
    #[schema(schema_with = schema::new_course_description)]
    pub description: String,
    /// Places, 1 to 100 000; absent or `null` means no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100_000)]
    pub capacity: Option<u32>,
}

/// Body of `PATCH /courses/{id}`: JSON Merge Patch (RFC 7396), every field optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateCourse {
    /// 1 to 200 characters, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::course_title)]
    pub title: Option<String>,
    /// Up to 10 000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::course_description)]
    pub description: Option<String>,
}

/// Where a course is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CourseStatus {
    /// Seen by its instructor and admins alone.
    Draft,
    /// Open to everybody.
    Published,
}

/// A course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Course {
    /// Its id.
    pub id: CourseId,
    /// One line.
    pub title: String,
    /// What it teaches; plain text.
    pub description: String,
    /// Draft or published.
    pub status: CourseStatus,
    /// Whose course it is.
    pub instructor_id: UserId,
    /// Places; `null` means no limit.
    pub capacity: Option<u32>,
    /// Places taken.
    pub enrolled: u32,
    /// Grows with every change; the `ETag`.
    pub version: i64,
    /// When it was written (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it was published (UTC); `null` for a draft.
    #[serde(with = "time::serde::rfc3339::option")]
    pub published_at: Option<OffsetDateTime>,
}

/// Where a registration is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnrolmentStatus {
    /// Holds a place.
    Active,
    /// Given up; enrolling again makes a new registration.
    Dropped,
}

/// One person's registration in one course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Enrolment {
    /// Its id.
    pub id: EnrolmentId,
    /// Where.
    pub course_id: CourseId,
    /// Who.
    pub user_id: UserId,
    /// Active or dropped.
    pub status: EnrolmentStatus,
    /// Since when (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub enrolled_at: OffsetDateTime,
}

/// A course somebody is enrolled in, as `GET /users/{id}/courses` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrolledCourse {
    /// The registration.
    pub enrolment_id: EnrolmentId,
    /// The course.
    pub course_id: CourseId,
    /// The course's title now.
    pub title: String,
    /// Since when (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub enrolled_at: OffsetDateTime,
}

/// One person's figures, as `GET /users/{id}/stats` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserStats {
    /// Courses the person is enrolled in now.
    pub enrolled: u64,
    /// Registrations the person has given up.
    pub dropped: u64,
    /// Courses the person teaches, drafts included.
    pub teaching: u64,
}

/// Answer of `GET /internal/courses/{id}/enrolments?after&limit`: who holds a place, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EnrolledPage {
    /// The people of this page, each once.
    pub items: Vec<UserId>,
    /// Pass it as `after` to go on; `null` on the last page.
    pub next_after: Option<UserId>,
    /// How many hold a place now, on all pages.
    pub total: u64,
}

/// The most people one `POST /internal/courses/{id}/members/lookup` may ask about.
pub const MAX_MEMBERS: usize = 200;

/// Body of `POST /internal/courses/{id}/members/lookup`: 1 to [`MAX_MEMBERS`] ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LookupMembers {
    /// Whom to look up; people who are not in the course are left out of the answer.
    #[schema(min_items = 1, max_items = 200)]
    pub ids: Vec<UserId>,
}

/// Answer of `POST /internal/courses/{id}/members/lookup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CourseMembers {
    /// Draft or published.
    pub status: CourseStatus,
    /// Those of the people asked about who hold a place or teach it, by id.
    pub items: Vec<UserId>,
}
