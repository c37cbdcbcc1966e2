//! The table `revocations`: access tokens called in before they end.

use lyceum_contracts::ids::UserId;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revocations")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    /// Its place in the list, given once it has been committed; see `keys::store::number`.
    pub(crate) seq: Option<i64>,
    pub(crate) user_id: UserId,
    /// The session whose tokens are called in, or else the next column is set.
    pub(crate) session_id: Option<i64>,
    /// The tokens whose version is below are called in.
    pub(crate) below_version: Option<i64>,
    pub(crate) revoked_at: OffsetDateTime,
    /// When the last of these tokens has ended by itself.
    pub(crate) expires_at: OffsetDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
