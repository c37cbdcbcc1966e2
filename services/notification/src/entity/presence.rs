//! The table `presences`: what is known of somebody who is not there.

use lyceum_contracts::ids::UserId;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "presences")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
    /// When they left last, in whole minutes since 1970.
    pub(crate) seen_minute: Option<i64>,
    /// Whether others are not to see it.
    pub(crate) hidden: bool,
}

impl ActiveModelBehavior for ActiveModel {}
