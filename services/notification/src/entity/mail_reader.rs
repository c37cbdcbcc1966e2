//! The table `mail_readers`: how somebody reads letters, and what stops them.

use lyceum_contracts::ids::UserId;
use lyceum_contracts::preferences::Digest;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mail_readers")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) user_id: UserId,
    /// The language they chose; none for the platform's own.
    pub(crate) locale: Option<String>,
    /// When letters that can wait come; see `preferences::rhythm`.
    pub(crate) digest: Digest,
    /// Minutes after midnight, both or none.
    pub(crate) quiet_from: Option<i64>,
    pub(crate) quiet_until: Option<i64>,
    pub(crate) utc_offset_minutes: i64,
    /// Random, and good for nothing but to have fewer letters.
    pub(crate) unsubscribe_token: String,
}

impl ActiveModelBehavior for ActiveModel {}
