//! An account as each kind of caller sees it: three types, so that no field slips out.

use lyceum_chassis::auth::CurrentUser;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{AdminUser, Contact, User, UserProfile};
use serde::Serialize;
use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::entity::user::Model;

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
    pub(crate) fn of(user: Model, caller: &CurrentUser) -> Self {
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
impl From<Model> for User {
    fn from(user: Model) -> Self {
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
impl From<Model> for AdminUser {
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

/// For anybody else who is signed in.
impl From<Model> for UserProfile {
    fn from(user: Model) -> Self {
        Self {
            id: user.id,
            full_name: user.full_name,
        }
    }
}

/// For the services.
impl From<Model> for Contact {
    fn from(user: Model) -> Self {
        Self {
            id: user.id,
            email: user.email,
            full_name: user.full_name,
            role: user.role,
        }
    }
}
