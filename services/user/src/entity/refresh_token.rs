//! The table `refresh_tokens`: every token of a session, spent ones included, so that a replay
//! can be told from a forgery.

use lyceum_contracts::ids::SessionId;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) session_id: SessionId,
    /// SHA-256 of the token; the token itself is nowhere.
    pub(crate) digest: String,
    pub(crate) issued_at: OffsetDateTime,
    /// When its successor was issued.
    pub(crate) spent_at: Option<OffsetDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
