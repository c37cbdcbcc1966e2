//! Accounts that are opened many at a time, by a request or by an import.

use std::collections::HashMap;

use lyceum_chassis::database::DbErr;
use lyceum_contracts::event::Event;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{AccountStatus, User};
use sea_orm::ConnectionTrait;
use time::OffsetDateTime;

use super::store;
use crate::accounts::{Email, FullName};
use crate::audit::{self, Action, Record};
use crate::entity::user::NO_PASSWORD;
use crate::links;

/// An account that is still to be written.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(super) email: Email,
    pub(super) full_name: FullName,
    pub(super) role: Role,
    /// PHC string, or [`NO_PASSWORD`].
    pub(super) password_hash: String,
    pub(super) status: AccountStatus,
}

impl Opening {
    /// Somebody who chooses a password by the letter that follows.
    pub(crate) fn by_invitation(email: Email, full_name: FullName, role: Role) -> Self {
        Self {
            email,
            full_name,
            role,
            password_hash: NO_PASSWORD.to_owned(),
            status: AccountStatus::Invited,
        }
    }

    /// Somebody whose password is chosen; `hash` is its PHC string.
    pub(super) fn with_password(
        email: Email,
        full_name: FullName,
        role: Role,
        hash: String,
    ) -> Self {
        Self {
            email,
            full_name,
            role,
            password_hash: hash,
            status: AccountStatus::Active,
        }
    }

    /// In lower case: what makes two of them the same.
    pub(crate) fn address(&self) -> &str {
        self.email.folded()
    }

    /// As the account was written.
    pub(super) fn into_user(self, id: UserId, now: OffsetDateTime) -> User {
        User {
            id,
            email: self.email.into_typed(),
            full_name: self.full_name.into_inner(),
            role: self.role,
            version: 1,
            created_at: now,
            status: self.status,
        }
    }
}

/// Opens the accounts whose addresses are free, with all that follows from them; gives the ids of
/// those by address. No two have the same address; the caller wakes the outbox after the commit.
pub(crate) async fn open(
    transaction: &impl ConnectionTrait,
    openings: &[&Opening],
    admin: UserId,
    now: OffsetDateTime,
) -> Result<HashMap<String, UserId>, DbErr> {
    let ids = store::insert(transaction, openings, now).await?;
    let promises = Promises::of(openings, &ids);
    promises.make(transaction, admin, now).await?;
    Ok(ids)
}

/// What follows from accounts that have been opened.
///
/// Whoever is invited counts as registered when they accept: until then there is one letter for
/// them, and no other.
#[derive(Debug)]
pub(super) struct Promises {
    invited: Vec<UserId>,
    registered: Vec<Event>,
}

impl Promises {
    /// Of those that have an id.
    pub(super) fn of(openings: &[&Opening], ids: &HashMap<String, UserId>) -> Self {
        let (mut invited, mut registered) = (Vec::new(), Vec::new());
        for opening in openings {
            match (ids.get(opening.address()), opening.status) {
                (None, _) => {}
                (Some(&id), AccountStatus::Invited) => invited.push(id),
                (Some(&user_id), _) => registered.push(Event::UserRegistered { user_id }),
            }
        }
        Self {
            invited,
            registered,
        }
    }

    /// Writes them, in the transaction the accounts were opened in.
    pub(super) async fn make(
        &self,
        transaction: &impl ConnectionTrait,
        admin: UserId,
        now: OffsetDateTime,
    ) -> Result<(), DbErr> {
        lyceum_outbox::push_all(transaction, &self.registered).await?;
        links::commands::invite(transaction, &self.invited, now).await?;
        let invited = self.invited.iter().map(|&user| Record {
            actor: Some(admin),
            subject: Some(user),
            action: Action::Invited,
        });
        audit::record_all(transaction, invited, now).await
    }
}
