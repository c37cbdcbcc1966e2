//! Single rows of enrolments, and the count of places taken. Lists and figures are in `queries`.

use lyceum_contracts::ids::{CourseId, EnrolmentId, UserId};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait,
    QueryFilter,
};
use time::OffsetDateTime;

use crate::entity::course;
use crate::entity::enrolment::{ActiveModel, Column, Entity, Model, Status};

/// The place somebody holds in a course.
pub(crate) async fn find_active(
    connection: &impl ConnectionTrait,
    course: CourseId,
    user: UserId,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(is_active(course, user))
        .one(connection)
        .await
}

/// An enrolment of any status, with its course.
pub(crate) async fn find_with_course(
    connection: &impl ConnectionTrait,
    id: EnrolmentId,
) -> Result<Option<(Model, course::Model)>, DbErr> {
    let found = Entity::find_by_id(id)
        .find_also_related(course::Entity)
        .one(connection)
        .await?;
    // The foreign key is not null, so a row without its course cannot be.
    Ok(found.and_then(|(enrolment, course)| Some((enrolment, course?))))
}

/// Gives somebody a place. The caller holds the course's lock and has found a place free.
pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    course: CourseId,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Model, DbErr> {
    let row = ActiveModel {
        id: NotSet,
        course_id: Set(course),
        user_id: Set(user),
        status: Set(Status::Active),
        enrolled_at: Set(now),
        dropped_at: Set(None),
    };
    let row = row.insert(connection).await?;
    change_places(connection, course, 1).await?;
    Ok(row)
}

/// Takes somebody's place back; none when they hold none. The caller holds the course's lock.
pub(crate) async fn release(
    connection: &impl ConnectionTrait,
    course: CourseId,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Option<EnrolmentId>, DbErr> {
    let released = Entity::update_many()
        .col_expr(Column::Status, Expr::value(Status::Dropped))
        .col_expr(Column::DroppedAt, Expr::value(now))
        .filter(is_active(course, user))
        .exec_with_returning(connection)
        .await?;
    let Some(enrolment) = released.first() else {
        return Ok(None);
    };
    change_places(connection, course, -1).await?;
    Ok(Some(enrolment.id))
}

/// At most one row, by `enrolments_course_id_user_id_key`.
fn is_active(course: CourseId, user: UserId) -> Condition {
    Condition::all()
        .add(Column::CourseId.eq(course))
        .add(Column::UserId.eq(user))
        .add(Column::Status.eq(Status::Active))
}

async fn change_places(
    connection: &impl ConnectionTrait,
    course: CourseId,
    by: i64,
) -> Result<(), DbErr> {
    let enrolled = course::Column::Enrolled;
    course::Entity::update_many()
        .col_expr(enrolled, Expr::col(enrolled).add(by))
        .filter(course::Column::Id.eq(course))
        .exec(connection)
        .await
        .map(drop)
}
