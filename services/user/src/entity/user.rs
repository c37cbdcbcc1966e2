//! The table `users`: one row per account.

use std::fmt;

use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::AccountStatus;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue, Set};
use time::OffsetDateTime;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: UserId,
    /// As typed; what people see.
    pub(crate) email: String,
    /// [`fold_email`] of it; what must be unique.
    pub(crate) email_folded: String,
    pub(crate) full_name: String,
    /// [`fold_name`] of it, what it is searched and sorted by; an [`ActiveModel`] that is saved writes
    /// it by itself, any other statement that writes a name writes it too.
    pub(crate) full_name_folded: String,
    /// PHC string, or [`NO_PASSWORD`]; read it through [`Model::password`].
    pub(crate) password_hash: String,
    pub(crate) role: Role,
    /// Grows with every change a caller can see.
    pub(crate) version: i64,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
    pub(crate) status: AccountStatus,
    /// Grows when the access tokens issued before must stop counting.
    pub(crate) token_version: i64,
    /// When it was deleted; its personal data went at the same moment.
    pub(crate) deleted_at: Option<OffsetDateTime>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

#[async_trait::async_trait]
impl ActiveModelBehavior for ActiveModel {
    /// A name is never written without its folded form, least of all when it is erased.
    async fn before_save<C: ConnectionTrait>(mut self, _: &C, _: bool) -> Result<Self, DbErr> {
        if let ActiveValue::Set(name) = &self.full_name {
            self.full_name_folded = Set(fold_name(name));
        }
        Ok(self)
    }
}

/// An address, which is ASCII, in lower case.
pub(crate) fn fold_email(email: &str) -> String {
    email.to_ascii_lowercase()
}

/// A name in lower case, letter by letter, so that what begins a name also begins its folded form.
pub(crate) fn fold_name(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.chars().flat_map(char::to_lowercase).collect()
}

/// What stands in `password_hash` of an account that has no password; no PHC string is like it.
pub(crate) const NO_PASSWORD: &str = "!";

/// The condition of the index `users_admins_idx`, word by word: a query that passes its values apart
/// from its text would not be seen to fall under it.
pub(crate) const ACTIVE_ADMIN: &str = "role = 'admin' AND status = 'active'";

impl Model {
    /// The PHC string to compare with; `None` where no password can be right.
    pub(crate) fn password(&self) -> Option<&str> {
        Some(self.password_hash.as_str()).filter(|hash| *hash != NO_PASSWORD)
    }

    /// Whether its owner can run the platform.
    pub(crate) fn is_active_admin(&self) -> bool {
        self.role == Role::Admin && self.status == AccountStatus::Active
    }

    /// Whether its owner may open sessions and go on with them.
    pub(crate) fn may_sign_in(&self) -> bool {
        self.status == AccountStatus::Active
    }
}

/// Personal data and the hash stay out of whatever prints this.
impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("id", &self.id)
            .field("role", &self.role)
            .field("status", &self.status)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
