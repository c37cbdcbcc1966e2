//! The bodies of requests about accounts, parsed into what an account is made of.

use lyceum_chassis::http::{Change, Fields, FromFields, Rule};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::{Role, UnknownRole};
use lyceum_contracts::user::MAX_LOOKUP;
use serde::Serialize;

use super::domain::{Email, FullName};
use crate::password::NewPassword;

/// Body of `POST /users`. There is no role in it: whoever registers is a student.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(crate) email: Email,
    pub(crate) password: NewPassword,
    pub(crate) full_name: FullName,
}

impl Registration {
    /// What makes two registrations the same, the password left out: what is compared is a fast
    /// hash, and a fast hash of a password is as good as the password.
    pub(crate) fn without_secrets(&self) -> impl Serialize {
        (self.email.typed(), self.full_name.as_str())
    }
}

impl FromFields for Registration {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", |text: String| Email::parse(&text));
        let password = fields.required("password", NewPassword::parse);
        let full_name = fields.required("full_name", FullName::parse);
        Some(Self {
            email: email?,
            password: password?,
            full_name: full_name?,
        })
    }
}

/// Body of `PATCH /users/{id}`.
#[derive(Debug)]
pub(crate) struct AccountPatch {
    pub(crate) full_name: Change<FullName>,
    pub(crate) role: Change<Role>,
}

/// The text names no role.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct RoleRule(#[from] UnknownRole);

impl Rule for RoleRule {
    fn code(&self) -> &'static str {
        "unknown_role"
    }
}

impl FromFields for AccountPatch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let full_name = fields.change("full_name", FullName::parse);
        let role = fields.change("role", |text: String| Ok::<Role, RoleRule>(text.parse()?));
        Some(Self {
            full_name: full_name?,
            role: role?,
        })
    }
}

impl AccountPatch {
    /// Whether somebody with `role` may make this change to an account they may see.
    pub(crate) fn is_open_to(&self, role: Role) -> bool {
        role == Role::Admin || self.role == Change::Keep
    }
}

/// Body of `POST /internal/users/lookup`: 1 to [`MAX_LOOKUP`] ids.
#[derive(Debug)]
pub(crate) struct Lookup(pub(crate) Vec<UserId>);

/// The list is empty or too long.
#[derive(Debug, thiserror::Error)]
#[error("must hold 1 to {MAX_LOOKUP} ids")]
struct LookupRule;

impl Rule for LookupRule {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl FromFields for Lookup {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields
            .required("ids", |ids: Vec<UserId>| {
                if (1..=MAX_LOOKUP).contains(&ids.len()) {
                    Ok(ids)
                } else {
                    Err(LookupRule)
                }
            })
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_an_admin_may_change_a_role() {
        let patch = |role| AccountPatch {
            full_name: Change::Keep,
            role,
        };
        for role in [Role::Student, Role::Instructor] {
            assert!(!patch(Change::Set(Role::Student)).is_open_to(role));
            assert!(patch(Change::Keep).is_open_to(role));
        }
        assert!(patch(Change::Set(Role::Student)).is_open_to(Role::Admin));
    }
}
