//! The table `presence_replicas`: a process that holds streams, one row each time it begins to.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "presence_replicas")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    /// When it last said that it lives.
    pub(crate) beat_at: OffsetDateTime,
    /// Until when it is taken to live.
    pub(crate) until: OffsetDateTime,
}

impl ActiveModelBehavior for ActiveModel {}
