//! The table `signing_keys`: what the keys that sign access tokens are derived from. No row holds
//! a secret.

use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub(crate) struct Model {
    /// As it stands in the JWKS.
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) kid: String,
    /// The key that signs until this one does; it has one successor.
    pub(crate) predecessor: String,
    pub(crate) salt: String,
    pub(crate) published_at: OffsetDateTime,
    /// From then on it signs.
    pub(crate) active_from: OffsetDateTime,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
