//! The table `refresh_tokens`: every token of a session, spent ones included, so that a replay
//! can be told from a forgery.

use lyceum_contracts::ids::SessionId;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

use crate::sessions::Held;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) session_id: SessionId,
    /// SHA-256 of the token; the token itself is nowhere.
    pub(crate) digest: String,
    pub(crate) issued_at: OffsetDateTime,
    /// When it was presented first.
    pub(crate) spent_at: Option<OffsetDateTime>,
    /// 0 for the token of the login, one more for answers to one of the generation before.
    pub(crate) generation: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What decides whether it counts.
    pub(crate) fn held(&self) -> Held {
        Held {
            generation: self.generation,
            spent_at: self.spent_at,
        }
    }
}
