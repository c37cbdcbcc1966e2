//! The table `mailed_links`: what somebody was promised to be sent. No secret is in it.

use std::fmt;

use lyceum_contracts::event::LinkPurpose;
use lyceum_contracts::ids::UserId;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mailed_links")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) user_id: UserId,
    pub(crate) purpose: LinkPurpose,
    /// The address to be confirmed, as typed; `None` for other purposes, whose letters go to the
    /// account's own.
    pub(crate) address: Option<String>,
    pub(crate) created_at: OffsetDateTime,
    /// When it was followed, or another one took its place.
    pub(crate) spent_at: Option<OffsetDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The address stays out of whatever prints this.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("id", &self.id)
            .field("user_id", &self.user_id)
            .field("purpose", &self.purpose)
            .field("spent_at", &self.spent_at)
            .finish_non_exhaustive()
    }
}
