//! The table `persons`: who has ever enrolled, and whether they are erased since.

use lyceum_contracts::ids::UserId;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "persons")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
    /// When everything of the person was erased. The row stays, so that nothing comes after it.
    pub(crate) erased_at: Option<OffsetDateTime>,
}

impl ActiveModelBehavior for ActiveModel {}
