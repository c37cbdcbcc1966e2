//! The bodies of bulk requests, item by item parsed into what an account is made of.

use std::convert::Infallible;

use lyceum_chassis::http::{Change, Fields, FromFields, Rule};
use lyceum_contracts::bulk::{BulkMode, MAX_BULK, MAX_BULK_PASSWORDS};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::problem::Fault;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::AccountStatus;
use serde::Serialize;

use crate::accounts::{Email, FullName, RoleRule};
use crate::password::NewPassword;

/// An item, or all its faults.
pub(super) type Item<T> = Result<T, Vec<Fault>>;

/// Body of `POST /users/bulk`.
#[derive(Debug)]
pub(crate) struct Creation {
    pub(super) mode: BulkMode,
    pub(super) items: Vec<Item<NewMember>>,
}

/// Somebody who is to have an account.
#[derive(Debug)]
pub(super) struct NewMember {
    pub(super) email: Email,
    pub(super) full_name: FullName,
    pub(super) role: Role,
    /// Without one they are invited.
    pub(super) password: Option<NewPassword>,
}

impl Creation {
    /// What makes two of them the same; of a password only that there is one, as in a registration.
    pub(super) fn without_secrets(&self) -> impl Serialize {
        let items = self.items.iter().map(|item| match item {
            Ok(member) => Ok((
                member.email.typed(),
                member.full_name.as_str(),
                member.role,
                member.password.is_some(),
            )),
            Err(faults) => Err(faults),
        });
        (self.mode, items.collect::<Vec<_>>())
    }
}

impl FromFields for Creation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let mode = fields.optional("mode", Ok::<BulkMode, Infallible>);
        let items = fields.items::<NewMember>("items", 1..=MAX_BULK);
        let members = items.iter().flatten().flatten();
        let passwords = members.filter(|member| member.password.is_some()).count();
        if passwords > MAX_BULK_PASSWORDS {
            let detail = format!("may have at most {MAX_BULK_PASSWORDS} items with a password");
            fields.fault("items", "too_many_passwords", detail);
        }
        Some(Self {
            mode: mode?.unwrap_or_default(),
            items: items?,
        })
    }
}

impl FromFields for NewMember {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", |text: String| Email::parse(&text));
        let full_name = fields.required("full_name", FullName::parse);
        let role = fields.optional("role", |text: String| Ok::<Role, RoleRule>(text.parse()?));
        let password = fields.optional("password", NewPassword::parse);
        Some(Self {
            email: email?,
            full_name: full_name?,
            role: role?.unwrap_or(Role::Student),
            password: password?,
        })
    }
}

/// Body of `PATCH /users/bulk`.
#[derive(Debug)]
pub(crate) struct Changes(pub(super) Vec<Item<MemberChange>>);

/// What is to change of one account.
#[derive(Debug)]
pub(super) struct MemberChange {
    pub(super) id: UserId,
    /// The version the caller has seen, if that matters.
    pub(super) version: Option<i64>,
    pub(super) full_name: Change<FullName>,
    pub(super) role: Change<Role>,
    /// Active or disabled.
    pub(super) status: Change<AccountStatus>,
}

impl Changes {
    /// What makes two of them the same.
    pub(super) fn without_secrets(&self) -> impl Serialize {
        let items = self.0.iter().map(|item| match item {
            Ok(change) => Ok((
                change.id,
                change.version,
                set(&change.full_name).map(FullName::as_str),
                set(&change.role),
                set(&change.status),
            )),
            Err(faults) => Err(faults),
        });
        items.collect::<Vec<_>>()
    }
}

const fn set<T>(change: &Change<T>) -> Option<&T> {
    match change {
        Change::Keep => None,
        Change::Set(value) => Some(value),
    }
}

impl FromFields for Changes {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.items("items", 1..=MAX_BULK).map(Self)
    }
}

impl FromFields for MemberChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let id = fields.required("id", Ok::<UserId, Infallible>);
        let version = fields.optional("version", Ok::<i64, Infallible>);
        let full_name = fields.change("full_name", FullName::parse);
        let role = fields.change("role", |text: String| Ok::<Role, RoleRule>(text.parse()?));
        let status = fields.change("status", |text: String| parse_status(&text));
        Some(Self {
            id: id?,
            version: version?,
            full_name: full_name?,
            role: role?,
            status: status?,
        })
    }
}

/// The text names nothing an admin can make of an account.
#[derive(Debug, thiserror::Error)]
#[error("must be active or disabled")]
struct StatusRule;

impl Rule for StatusRule {
    fn code(&self) -> &'static str {
        "unknown_status"
    }
}

fn parse_status(text: &str) -> Result<AccountStatus, StatusRule> {
    match text.parse() {
        Ok(status @ (AccountStatus::Active | AccountStatus::Disabled)) => Ok(status),
        _ => Err(StatusRule),
    }
}
