//! The table `presence_seats`: somebody has a stream on a replica, as long as that one lives.

use lyceum_contracts::ids::UserId;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "presence_seats")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) replica_id: i64,
}

impl ActiveModelBehavior for ActiveModel {}
