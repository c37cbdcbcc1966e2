//! Queries on courses. No rule is decided here; locking is in `lock`.

use lyceum_chassis::http::Window;
use lyceum_contracts::ids::{CourseId, UserId};
use sea_orm::ActiveValue::{NotSet, Set, Unchanged};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use time::OffsetDateTime;

use super::domain::{Course, NewCourse, Stage};
use crate::entity::course::{self, ActiveModel, Column, Entity, Status};

/// Writes a draft.
pub(crate) async fn insert_draft(
    connection: &impl ConnectionTrait,
    course: NewCourse,
    instructor: UserId,
    now: OffsetDateTime,
) -> Result<Course, DbErr> {
    let row = ActiveModel {
        id: NotSet,
        title: Set(course.title.into_string()),
        description: Set(course.description.into_string()),
        status: Set(Status::Draft),
        instructor_id: Set(instructor),
        capacity: Set(course.capacity.map(|capacity| i64::from(capacity.get()))),
        enrolled: Set(0),
        version: Set(1),
        created_at: Set(now),
        published_at: Set(None),
    };
    from_row(row.insert(connection).await?)
}

/// The course, whatever its stage.
pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    id: CourseId,
) -> Result<Option<Course>, DbErr> {
    Entity::find_by_id(id)
        .one(connection)
        .await?
        .map(from_row)
        .transpose()
}

/// Public courses by id, oldest first.
pub(crate) async fn list_published(
    connection: &impl ConnectionTrait,
    window: Window,
) -> Result<Vec<Course>, DbErr> {
    let mut query = Entity::find()
        .filter(Column::Status.eq(Status::Published))
        .order_by_asc(Column::Id)
        .offset(window.skip)
        .limit(window.rows());
    if let Some(after) = window.after {
        query = query.filter(Column::Id.gt(after));
    }
    let rows = query.all(connection).await?;
    rows.into_iter().map(from_row).collect()
}

/// Keeps the stage and version of a course that is locked.
pub(crate) async fn update_stage(
    connection: &impl ConnectionTrait,
    course: &Course,
) -> Result<(), DbErr> {
    let (status, published_at) = match course.stage {
        Stage::Draft => (Status::Draft, None),
        Stage::Published { at } => (Status::Published, Some(at)),
    };
    let change = ActiveModel {
        id: Unchanged(course.id),
        status: Set(status),
        published_at: Set(published_at),
        version: Set(course.version),
        ..Default::default()
    };
    change.update(connection).await.map(drop)
}

/// Keeps what a course that is locked says of itself.
pub(crate) async fn update_text(
    connection: &impl ConnectionTrait,
    course: &Course,
) -> Result<(), DbErr> {
    let change = ActiveModel {
        id: Unchanged(course.id),
        title: Set(course.title.clone()),
        description: Set(course.description.clone()),
        version: Set(course.version),
        ..Default::default()
    };
    change.update(connection).await.map(drop)
}

/// Deletes a course nobody was ever in.
pub(crate) async fn delete(connection: &impl ConnectionTrait, id: CourseId) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(connection).await.map(drop)
}

/// How many courses somebody teaches, drafts included.
pub(crate) async fn count_taught_by(
    connection: &impl ConnectionTrait,
    instructor: UserId,
) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::InstructorId.eq(instructor))
        .count(connection)
        .await
}

/// A row that no command of this service could have written is a failure of the database.
pub(super) fn from_row(row: course::Model) -> Result<Course, DbErr> {
    let stage = match (row.status, row.published_at) {
        (Status::Draft, None) => Stage::Draft,
        (Status::Published, Some(at)) => Stage::Published { at },
        (Status::Draft, Some(_)) | (Status::Published, None) => {
            return Err(DbErr::Type(
                "a course's stage and its date disagree".to_owned(),
            ));
        }
    };
    Ok(Course {
        id: row.id,
        title: row.title,
        description: row.description,
        stage,
        instructor_id: row.instructor_id,
        capacity: row.capacity.map(places).transpose()?,
        enrolled: places(row.enrolled)?,
        version: row.version,
        created_at: row.created_at,
    })
}

fn places(count: i64) -> Result<u32, DbErr> {
    u32::try_from(count).map_err(|_| DbErr::Type("a count of places is out of range".to_owned()))
}
