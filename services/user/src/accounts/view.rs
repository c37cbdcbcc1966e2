//! An account as each kind of caller sees it: three types, so that no field slips out.

use lyceum_chassis::auth::CurrentUser;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{AccountStatus, AdminUser, Contact, User, UserProfile};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::entity::user::{Column, Model};

/// What anybody is ever shown of an account: the hash of its password is not read for that.
pub(crate) struct Account {
    pub(crate) id: UserId,
    /// As typed.
    pub(crate) email: String,
    pub(crate) full_name: String,
    pub(crate) role: Role,
    pub(crate) status: AccountStatus,
    pub(crate) version: i64,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

/// The columns of an [`Account`].
pub(super) const COLUMNS: [Column; 8] = [
    Column::Id,
    Column::Email,
    Column::FullName,
    Column::Role,
    Column::Status,
    Column::Version,
    Column::CreatedAt,
    Column::UpdatedAt,
];

/// A row of [`COLUMNS`].
pub(super) type Columns = (
    UserId,
    String,
    String,
    Role,
    AccountStatus,
    i64,
    OffsetDateTime,
    OffsetDateTime,
);

impl From<Columns> for Account {
    fn from(row: Columns) -> Self {
        let (id, email, full_name, role, status, version, created_at, updated_at) = row;
        Self {
            id,
            email,
            full_name,
            role,
            status,
            version,
            created_at,
            updated_at,
        }
    }
}

impl From<Model> for Account {
    fn from(user: Model) -> Self {
        Self {
            id: user.id,
            email: user.email,
            full_name: user.full_name,
            role: user.role,
            status: user.status,
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// What `GET /users/{id}` answers with, by who asks.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum AccountView {
    Administered(AdminUser),
    Own(User),
    Profile(UserProfile),
}

impl AccountView {
    /// As `caller` may see it. An admin sees the own account as any other.
    pub(crate) fn of(user: Account, caller: &CurrentUser) -> Self {
        if caller.role == Role::Admin {
            Self::Administered(user.into())
        } else if caller.id == user.id {
            Self::Own(user.into())
        } else {
            Self::Profile(user.into())
        }
    }
}

/// Any of the three, and not one of them alone: what is whole has the fields of a profile too.
impl PartialSchema for AccountView {
    fn schema() -> RefOr<Schema> {
        let views = [AdminUser::name(), User::name(), UserProfile::name()];
        let any = views.into_iter().fold(AnyOfBuilder::new(), |any, view| {
            any.item(Ref::from_schema_name(view))
        });
        any.into()
    }
}

impl ToSchema for AccountView {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend([
            (AdminUser::name().into(), AdminUser::schema()),
            (User::name().into(), User::schema()),
            (UserProfile::name().into(), UserProfile::schema()),
        ]);
        AdminUser::schemas(schemas);
        User::schemas(schemas);
        UserProfile::schemas(schemas);
    }
}

/// For its owner.
impl From<Account> for User {
    fn from(user: Account) -> Self {
        Self {
            id: user.id,
            email: user.email,
            full_name: user.full_name,
            role: user.role,
            version: user.version,
            created_at: user.created_at,
            status: user.status,
        }
    }
}

/// For admins.
impl From<Account> for AdminUser {
    fn from(user: Account) -> Self {
        Self {
            id: user.id,
            email: user.email,
            full_name: user.full_name,
            role: user.role,
            status: user.status,
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// For anybody else who is signed in.
impl From<Account> for UserProfile {
    fn from(user: Account) -> Self {
        Self {
            id: user.id,
            full_name: user.full_name,
        }
    }
}

/// For the services.
impl From<Account> for Contact {
    fn from(user: Account) -> Self {
        Self {
            id: user.id,
            email: user.email,
            full_name: user.full_name,
            role: user.role,
        }
    }
}
