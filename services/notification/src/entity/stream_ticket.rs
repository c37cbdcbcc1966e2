//! The table `stream_tickets`: one row per ticket that was neither used nor over when last looked at.

use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stream_tickets")]
pub(crate) struct Model {
    /// The ticket itself is nowhere.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) digest: String,
    pub(crate) user_id: UserId,
    /// Of the access token it was bought with, as are the next three.
    pub(crate) role: Role,
    pub(crate) session_id: i64,
    pub(crate) token_version: i64,
    pub(crate) token_expires_at: OffsetDateTime,
    pub(crate) expires_at: OffsetDateTime,
}

impl ActiveModelBehavior for ActiveModel {}
