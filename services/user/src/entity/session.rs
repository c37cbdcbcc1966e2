//! The table `sessions`: one row per login, which is one family of refresh tokens.

use lyceum_contracts::ids::UserId;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) user_id: UserId,
    pub(crate) opened_at: OffsetDateTime,
    /// Absolute: refreshing does not move it.
    pub(crate) expires_at: OffsetDateTime,
    /// Set by logout, and by the replay of a spent token.
    pub(crate) ended_at: Option<OffsetDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
