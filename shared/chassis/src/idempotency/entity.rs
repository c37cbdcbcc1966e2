//! The table `idempotency_keys`.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub(super) struct Model {
    /// Counts up with the keys: the oldest stand first.
    #[sea_orm(primary_key)]
    pub(super) id: i64,
    /// Whose key it is: `user:7`, `service:course`, `anybody`.
    pub(super) owner: String,
    /// `POST /courses`.
    pub(super) route: String,
    pub(super) key: String,
    /// SHA-256 of what was asked, in base64.
    pub(super) fingerprint: String,
    /// Status of the answer; null only inside the transaction that is finding it.
    pub(super) status: Option<i64>,
    pub(super) location: Option<String>,
    pub(super) etag: Option<String>,
    /// JSON.
    pub(super) body: Option<String>,
    pub(super) created_at: OffsetDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
