//! The table `audit_entries`: security events, by ids alone.

use lyceum_contracts::audit::Action;
use lyceum_contracts::ids::UserId;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entries")]
pub(crate) struct Model {
    /// Counts up with the entries: the oldest stand first.
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) at: OffsetDateTime,
    pub(crate) action: Action,
    /// Who did it. No foreign key: an entry outlives its people.
    pub(crate) actor_id: Option<UserId>,
    /// Whose account it is about.
    pub(crate) subject_id: Option<UserId>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
