//! The table `mail_mutes`: what somebody wants no letters of.

use lyceum_contracts::ids::UserId;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_mutes")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
    /// The word of a `preferences::Topic`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) topic: String,
}

impl ActiveModelBehavior for ActiveModel {}
