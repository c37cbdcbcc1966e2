//! Queries on tickets. Each begins from the digest: nobody asks which tickets there are.

use lyceum_chassis::auth::CurrentUser;
use lyceum_contracts::ids::UserId;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};
use time::OffsetDateTime;

use crate::entity::stream_ticket::{ActiveModel, Column, Entity};

/// Keeps a new ticket of `person`.
pub(super) async fn insert(
    connection: &impl ConnectionTrait,
    digest: String,
    person: CurrentUser,
    expires_at: OffsetDateTime,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        digest: Set(digest),
        user_id: Set(person.id),
        role: Set(person.role),
        session_id: Set(person.session_id),
        token_version: Set(person.token_version),
        token_expires_at: Set(person.expires_at),
        expires_at: Set(expires_at),
    };
    Entity::insert(row)
        .exec_without_returning(connection)
        .await
        .map(drop)
}

/// Uses a ticket up: whom it stands for, if it still counts. The deletion decides, so of two who
/// come with it at once one is let in.
pub(super) async fn redeem(
    connection: &impl ConnectionTrait,
    digest: String,
    now: OffsetDateTime,
) -> Result<Option<CurrentUser>, DbErr> {
    let used = Entity::delete_many()
        .filter(Column::Digest.eq(digest))
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(connection)
        .await?;
    Ok(used.into_iter().next().map(|row| CurrentUser {
        id: row.user_id,
        role: row.role,
        session_id: row.session_id,
        token_version: row.token_version,
        expires_at: row.token_expires_at,
    }))
}

/// Forgets those of one person.
pub(crate) async fn erase(transaction: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user))
        .exec(transaction)
        .await
        .map(drop)
}
