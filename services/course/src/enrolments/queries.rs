//! What is asked about one person across courses, the list of their courses and their figures; and
//! about one course, who is in it.

use lyceum_chassis::http::{Onward, Window};
use lyceum_contracts::course::{EnrolledCourse, UserStats};
use lyceum_contracts::ids::{CourseId, EnrolmentId, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, RelationTrait,
};
use time::OffsetDateTime;

use crate::catalogue;
use crate::entity::course;
use crate::entity::enrolment::{Column, Entity, Relation, Status};

#[derive(FromQueryResult)]
struct EnrolledRow {
    enrolment_id: EnrolmentId,
    course_id: CourseId,
    title: String,
    enrolled_at: OffsetDateTime,
}

/// The courses somebody holds a place in, in the order they enrolled.
pub(crate) async fn list_courses_of(
    connection: &impl ConnectionTrait,
    user: UserId,
    window: Window,
) -> Result<Vec<EnrolledCourse>, DbErr> {
    let mut query = Entity::find()
        .select_only()
        .column_as(Column::Id, "enrolment_id")
        .column(Column::CourseId)
        .column(course::Column::Title)
        .column(Column::EnrolledAt)
        .join(sea_orm::JoinType::InnerJoin, Relation::Course.def())
        .filter(Column::UserId.eq(user))
        .filter(Column::Status.eq(Status::Active))
        .order_by_asc(Column::Id)
        .offset(window.skip)
        .limit(window.rows());
    if let Some(after) = window.after {
        query = query.filter(Column::Id.gt(after));
    }
    let rows = query.into_model::<EnrolledRow>().all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|row| EnrolledCourse {
            enrolment_id: row.enrolment_id,
            course_id: row.course_id,
            title: row.title,
            enrolled_at: row.enrolled_at,
        })
        .collect())
}

/// The next people who hold a place in a course, by id.
pub(crate) async fn list_people_in(
    connection: &impl ConnectionTrait,
    course: CourseId,
    onward: Onward,
) -> Result<Vec<UserId>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::CourseId.eq(course))
        // Written out: the index of active rows is not found by a parameter.
        .filter(Expr::cust("status = 'active'"))
        .filter(Column::UserId.gt(onward.after))
        .order_by_asc(Column::UserId)
        .limit(onward.rows())
        .into_tuple()
        .all(connection)
        .await
}

/// Which of `people` hold a place in a course.
pub(crate) async fn list_enrolled_among(
    connection: &impl ConnectionTrait,
    course: CourseId,
    people: Vec<UserId>,
) -> Result<Vec<UserId>, DbErr> {
    Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::CourseId.eq(course))
        // Written out: the index of active rows is not found by a parameter.
        .filter(Expr::cust("status = 'active'"))
        .filter(Column::UserId.is_in(people))
        .into_tuple()
        .all(connection)
        .await
}

#[derive(FromQueryResult)]
struct StatusCount {
    status: Status,
    count: i64,
}

/// Somebody's figures; all zero for somebody this service has never met.
pub(crate) async fn count_for(
    connection: &impl ConnectionTrait,
    user: UserId,
) -> Result<UserStats, DbErr> {
    let counts = Entity::find()
        .select_only()
        .column(Column::Status)
        .column_as(Column::Id.count(), "count")
        .filter(Column::UserId.eq(user))
        .group_by(Column::Status)
        .into_model::<StatusCount>()
        .all(connection)
        .await?;
    let mut stats = UserStats {
        enrolled: 0,
        dropped: 0,
        teaching: catalogue::store::count_taught_by(connection, user).await?,
    };
    for StatusCount { status, count } in counts {
        let count = count.unsigned_abs();
        match status {
            Status::Active => stats.enrolled = count,
            Status::Dropped => stats.dropped = count,
        }
    }
    Ok(stats)
}
