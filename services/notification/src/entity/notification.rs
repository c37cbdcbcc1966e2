//! The table `notifications`: one row per line of somebody's inbox.

use lyceum_contracts::ids::{NotificationId, UserId};
use lyceum_contracts::notification::Notification;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notifications")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: NotificationId,
    pub(crate) user_id: UserId,
    /// Place in the person's sequence.
    pub(crate) seq: i64,
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) data: Json,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) read_at: Option<OffsetDateTime>,
    /// When it was put away.
    pub(crate) archived_at: Option<OffsetDateTime>,
    /// From when on nobody is shown it.
    pub(crate) expires_at: Option<OffsetDateTime>,
    /// A newer one of the same key replaces it while it is unread and in the inbox.
    pub(crate) collapse_key: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What its recipient sees of it.
impl From<Model> for Notification {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            seq: row.seq,
            kind: row.kind,
            title: row.title,
            body: row.body,
            data: row.data,
            created_at: row.created_at,
            read_at: row.read_at,
            archived_at: row.archived_at,
            expires_at: row.expires_at,
        }
    }
}
