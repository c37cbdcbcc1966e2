//! The table `recipients`: how far each person's sequence has come.

use lyceum_contracts::ids::UserId;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recipients")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
    /// The last number given out; 0 before the first notification.
    pub(crate) head_seq: i64,
    /// Up to here some of the sequence is deleted; after it each place is still told.
    pub(crate) floor_seq: i64,
    /// When everything of the person was erased. The row stays, so that an event which comes late
    /// finds the inbox closed instead of opening a new one.
    pub(crate) erased_at: Option<OffsetDateTime>,
}

impl ActiveModelBehavior for ActiveModel {}
