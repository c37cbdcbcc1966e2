//! What becomes of the accounts a request wants changed. Pure.

use std::collections::{HashMap, HashSet};

use lyceum_chassis::http::Change;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::problem::ProblemKind;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::AccountStatus;
use time::OffsetDateTime;

use super::domain::{Refusal, Verdict};
use super::requests::{Item, MemberChange};
use crate::entity::user::Model;

/// An account before and after.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) before: Model,
    /// The same when nothing changes.
    pub(super) after: Model,
}

impl Changed {
    pub(super) fn is_another(&self) -> bool {
        self.before != self.after
    }

    pub(super) fn has_another_role(&self) -> bool {
        self.before.role != self.after.role
    }

    pub(super) fn has_another_status(&self) -> bool {
        self.before.status != self.after.status
    }
}

/// Leaves out what names an account that an item before it names.
pub(super) fn distinct(items: Vec<Item<MemberChange>>) -> Vec<Verdict<MemberChange>> {
    let mut ids = HashSet::with_capacity(items.len());
    let items = items.into_iter().enumerate().map(|(index, item)| {
        let change = item.map_err(Refusal::faulty)?;
        if !ids.insert(change.id) {
            let kind = ProblemKind::ValidationError;
            let detail = "is the account of an item before this one";
            return Err(Refusal::of(kind, index, "id", "duplicate", detail));
        }
        Ok(change)
    });
    items.collect()
}

/// Whether a change may leave the platform without somebody who runs it.
pub(super) fn may_unmake_admin(change: &MemberChange) -> bool {
    matches!(change.role, Change::Set(role) if role != Role::Admin)
        || matches!(change.status, Change::Set(AccountStatus::Disabled))
}

/// Applies the changes one after the other to the accounts there are, among them every admin who
/// may sign in if a change [`may_unmake_admin`].
pub(super) fn apply(
    changes: Vec<Verdict<MemberChange>>,
    accounts: Vec<Model>,
    now: OffsetDateTime,
) -> Vec<Verdict<Changed>> {
    let mut admins = accounts.iter().filter(|account| runs(account)).count();
    let accounts = accounts.into_iter().map(|account| (account.id, account));
    let mut accounts: HashMap<UserId, Model> = accounts.collect();
    let changes = changes.into_iter().enumerate().map(|(index, change)| {
        let change = change?;
        let before = accounts.remove(&change.id).ok_or_else(|| {
            let detail = "there is no such account";
            Refusal::of(ProblemKind::NotFound, index, "id", "not_found", detail)
        })?;
        if change.version.is_some_and(|seen| seen != before.version) {
            let kind = ProblemKind::PreconditionFailed;
            let detail = "the account has changed meanwhile";
            return Err(Refusal::of(kind, index, "version", "stale", detail));
        }
        let after = changed(change, &before, now);
        match (runs(&before), runs(&after)) {
            (true, false) if admins == 1 => {
                let field = if before.role == after.role {
                    "status"
                } else {
                    "role"
                };
                let detail = "nobody would be left to run the platform";
                return Err(Refusal::of(
                    ProblemKind::Conflict,
                    index,
                    field,
                    "last_admin",
                    detail,
                ));
            }
            (true, false) => admins -= 1,
            (false, true) => admins += 1,
            _ => {}
        }
        Ok(Changed { before, after })
    });
    changes.collect()
}

fn runs(account: &Model) -> bool {
    account.role == Role::Admin && account.may_sign_in()
}

fn changed(change: MemberChange, before: &Model, now: OffsetDateTime) -> Model {
    let mut after = before.clone();
    if let Change::Set(name) = change.full_name {
        after.full_name = name.into_inner();
    }
    if let Change::Set(role) = change.role {
        after.role = role;
    }
    after.status = match (change.status, before.status) {
        (Change::Set(AccountStatus::Disabled), _) => AccountStatus::Disabled,
        // Somebody who was invited has still to accept.
        (Change::Set(_), AccountStatus::Disabled) if before.password().is_none() => {
            AccountStatus::Invited
        }
        (Change::Set(_), AccountStatus::Disabled) => AccountStatus::Active,
        (_, status) => status,
    };
    // Tokens issued before say another role, or let somebody in who is out.
    let shut = after.status == AccountStatus::Disabled && after.status != before.status;
    if after.role != before.role || shut {
        after.token_version += 1;
    }
    if after != *before {
        after.version += 1;
        after.updated_at = now;
    }
    after
}

#[cfg(test)]
mod tests {
    use lyceum_chassis::clock;
    use proptest::prelude::*;

    use super::*;
    use crate::accounts::FullName;
    use crate::entity::user::NO_PASSWORD;

    /// What is wanted of which of a few accounts.
    #[derive(Debug, Clone, Copy)]
    struct Wanted {
        id: i64,
        stale: bool,
        role: Option<Role>,
        status: Option<AccountStatus>,
    }

    fn role() -> impl Strategy<Value = Role> {
        prop_oneof![
            Just(Role::Student),
            Just(Role::Instructor),
            Just(Role::Admin)
        ]
    }

    fn wanted() -> impl Strategy<Value = Wanted> {
        let status = prop_oneof![Just(AccountStatus::Active), Just(AccountStatus::Disabled)];
        let (role, status) = (prop::option::of(role()), prop::option::of(status));
        let wanted = (1..12_i64, prop::bool::weighted(0.2), role, status);
        wanted.prop_map(|(id, stale, role, status)| Wanted {
            id,
            stale,
            role,
            status,
        })
    }

    /// Accounts 1 to 8: there is no ninth.
    fn accounts() -> impl Strategy<Value = Vec<Model>> {
        let status = prop_oneof![
            Just(AccountStatus::Active),
            Just(AccountStatus::Invited),
            Just(AccountStatus::Disabled),
        ];
        let each = (role(), status);
        prop::collection::vec(each, 8).prop_map(|accounts| {
            let accounts = (1..).zip(accounts);
            accounts
                .map(|(id, (role, status))| account(id, role, status))
                .collect()
        })
    }

    fn account(id: i64, role: Role, status: AccountStatus) -> Model {
        let now = clock::now();
        Model {
            id: id.try_into().unwrap(),
            email: String::new(),
            email_folded: String::new(),
            full_name: "Old".to_owned(),
            full_name_folded: "old".to_owned(),
            password_hash: match status {
                AccountStatus::Invited => NO_PASSWORD,
                _ => "hash",
            }
            .to_owned(),
            role,
            version: 3,
            created_at: now,
            updated_at: now,
            status,
            token_version: 5,
            deleted_at: None,
        }
    }

    fn item(wanted: Wanted) -> MemberChange {
        let set = |value: Option<AccountStatus>| value.map_or(Change::Keep, Change::Set);
        MemberChange {
            id: wanted.id.try_into().unwrap(),
            version: wanted.stale.then_some(2),
            full_name: Change::Keep,
            role: wanted.role.map_or(Change::Keep, Change::Set),
            status: set(wanted.status),
        }
    }

    proptest! {
        #[test]
        fn whatever_is_wanted_somebody_is_left_and_every_outcome_is_at_its_place(
            wanted in prop::collection::vec(wanted(), 1..30),
            accounts in accounts(),
        ) {
            let had_admin = accounts.iter().any(runs);
            let mut now = accounts.clone();
            let changes = distinct(wanted.iter().map(|wanted| Ok(item(*wanted))).collect());
            let outcomes = apply(changes, accounts, clock::now());
            prop_assert_eq!(outcomes.len(), wanted.len());
            for (index, (wanted, outcome)) in wanted.iter().zip(outcomes).enumerate() {
                match outcome {
                    Ok(changed) => {
                        prop_assert_eq!(changed.after.id.get(), wanted.id);
                        prop_assert!(!wanted.stale);
                        let grown = i64::from(changed.is_another());
                        prop_assert_eq!(changed.after.version, changed.before.version + grown);
                        let held = now.iter_mut().find(|account| account.id == changed.after.id);
                        *held.unwrap() = changed.after;
                    }
                    Err(refusal) => {
                        let (_, faults) = refusal.into_parts();
                        let place = format!("#/items/{index}/");
                        prop_assert!(faults.iter().all(|fault| fault.pointer.starts_with(&place)));
                    }
                }
            }
            prop_assert!(!had_admin || now.iter().any(runs));
        }
    }

    #[test]
    fn tokens_are_called_in_by_another_role_and_by_a_shut_account_alone() {
        let grown = |status, change: MemberChange| {
            let before = account(1, Role::Student, status);
            let outcomes = apply(vec![Ok(change)], vec![before], clock::now());
            let changed = outcomes.into_iter().next().unwrap().unwrap();
            changed.after.token_version - changed.before.token_version
        };
        let change = |role, status| {
            item(Wanted {
                id: 1,
                stale: false,
                role,
                status,
            })
        };
        let (active, disabled) = (AccountStatus::Active, AccountStatus::Disabled);
        assert_eq!(grown(active, change(Some(Role::Instructor), None)), 1);
        assert_eq!(grown(active, change(None, Some(disabled))), 1);
        assert_eq!(grown(active, change(Some(Role::Admin), Some(disabled))), 1);
        assert_eq!(grown(disabled, change(None, Some(active))), 0);
        assert_eq!(grown(active, change(Some(Role::Student), Some(active))), 0);
        let mut renamed = change(None, None);
        renamed.full_name = Change::Set(FullName::parse("New".to_owned()).unwrap());
        assert_eq!(grown(active, renamed), 0);
    }
}
