//! The table `sessions`: one row per login, which is one family of refresh tokens.

use lyceum_contracts::ids::{SessionId, UserId};
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

use crate::sessions::{EndReason, Family};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: SessionId,
    pub(crate) user_id: UserId,
    pub(crate) opened_at: OffsetDateTime,
    /// Absolute: refreshing does not move it.
    pub(crate) expires_at: OffsetDateTime,
    /// Set once, with the reason; what has expired was never ended.
    pub(crate) ended_at: Option<OffsetDateTime>,
    pub(crate) ended_reason: Option<EndReason>,
    /// What the login named itself as; at most 200 characters.
    pub(crate) user_agent: Option<String>,
    /// When it was opened or last refreshed.
    pub(crate) last_seen_at: OffsetDateTime,
    /// Of its newest refresh tokens; grows when one of them is spent.
    pub(crate) generation: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Its tokens.
    pub(crate) fn family(&self) -> Family {
        Family {
            generation: self.generation,
        }
    }
}
