//! Queries on whom an announcement is for.

use lyceum_chassis::database::DbErr;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::AccountStatus;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect, Select,
};

use crate::entity::user::{Column, Entity};

/// How many people an announcement is for, and the newest of them.
#[derive(Debug, FromQueryResult)]
pub(super) struct Audience {
    pub(super) people: i64,
    pub(super) last: Option<i64>,
}

/// Everybody who may sign in, or those of them with one of `roles`.
fn listening(roles: &[Role]) -> Select<Entity> {
    let active = Entity::find().filter(Column::Status.eq(AccountStatus::Active));
    if roles.is_empty() {
        active
    } else {
        active.filter(Column::Role.is_in(roles.iter().copied()))
    }
}

/// Counts whom it is for.
pub(super) async fn audience(db: &impl ConnectionTrait, roles: &[Role]) -> Result<Audience, DbErr> {
    let audience = listening(roles)
        .select_only()
        .column_as(Column::Id.count(), "people")
        .column_as(Column::Id.max(), "last")
        .into_model::<Audience>()
        .one(db)
        .await?;
    Ok(audience.unwrap_or(Audience {
        people: 0,
        last: None,
    }))
}

/// The next people of the walk: those after `after` up to `last`, by id.
pub(super) async fn next_of(
    db: &impl ConnectionTrait,
    roles: &[Role],
    after: i64,
    last: i64,
    limit: u64,
) -> Result<Vec<UserId>, DbErr> {
    listening(roles)
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.gt(after))
        .filter(Column::Id.lte(last))
        .order_by_asc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await
}
