//! The table `users`: one row per account.

use std::fmt;

use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: UserId,
    /// As typed; what people see.
    pub(crate) email: String,
    /// In lower case; what must be unique.
    pub(crate) email_folded: String,
    pub(crate) full_name: String,
    /// PHC string.
    pub(crate) password_hash: String,
    pub(crate) role: Role,
    /// Grows with every change a caller can see.
    pub(crate) version: i64,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Personal data and the hash stay out of whatever prints this.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("id", &self.id)
            .field("role", &self.role)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
