//! The table `notification_changes`: what became of notifications, place by place.

use lyceum_contracts::ids::{NotificationId, UserId};
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification_changes")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) user_id: UserId,
    /// Place in the person's sequence.
    pub(crate) seq: i64,
    /// Which notification was deleted, if that is what happened.
    pub(crate) deleted_id: Option<NotificationId>,
    /// A `NotificationChange`, as it is told.
    pub(crate) data: Json,
    pub(crate) created_at: OffsetDateTime,
}

impl ActiveModelBehavior for ActiveModel {}
