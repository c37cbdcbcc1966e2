//! Writes on accounts: each begins and commits its own transaction.

use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::database::{Database, DbErr, violated_constraint};
use lyceum_chassis::http::{Answer, Change, IfMatch};
use lyceum_chassis::idempotency::{Begun, Keyed, KeyedError};
use lyceum_contracts::event::Event;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::AccountStatus;
use lyceum_outbox::Waker;
use sea_orm::{ActiveValue, IntoActiveModel, Set};
use time::OffsetDateTime;

use super::domain::{Email, FullName};
use super::requests::AccountPatch;
use super::{admins, store};
use crate::audit::{self, Action, Record};
use crate::entity::user::{ActiveModel, Model};

/// The unique index that decides who was first.
const ONE_ACCOUNT_PER_ADDRESS: &str = "users_email_folded_key";

/// An account that is still to be written.
#[derive(Debug)]
pub(crate) struct NewAccount {
    pub(crate) email: Email,
    pub(crate) full_name: FullName,
    /// PHC string.
    pub(crate) password_hash: String,
    pub(crate) role: Role,
}

/// Why an account was not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterError {
    /// Somebody has the address already.
    #[error("the address has an account")]
    EmailTaken,
    #[error(transparent)]
    Keyed(#[from] KeyedError),
}

impl From<DbErr> for RegisterError {
    fn from(error: DbErr) -> Self {
        KeyedError::from(error).into()
    }
}

/// An account that has just been opened.
#[derive(Debug)]
pub(crate) struct Opened(pub(crate) Model);

/// Opens an account, once per key, and promises `user.registered`.
pub(crate) async fn register_user(
    database: &Database,
    outbox: &Waker,
    keyed: Keyed,
    account: NewAccount,
    now: OffsetDateTime,
) -> Result<Answer, RegisterError> {
    let row = ActiveModel {
        id: ActiveValue::NotSet,
        email: Set(account.email.typed().to_owned()),
        email_folded: Set(account.email.folded().to_owned()),
        full_name: Set(account.full_name.into_inner()),
        full_name_folded: ActiveValue::NotSet,
        password_hash: Set(account.password_hash),
        role: Set(account.role),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        status: Set(AccountStatus::Active),
        token_version: Set(1),
        deleted_at: Set(None),
    };
    let transaction = match keyed.begin(database, now).await? {
        Begun::First(transaction) => transaction,
        Begun::Again(answer) => return Ok(answer),
    };
    let user = match store::insert(&transaction, row).await {
        Ok(user) => user,
        Err(error) if is_email_taken(&error) => {
            return Err(RegisterError::EmailTaken);
        }
        Err(error) => return Err(error.into()),
    };
    let event = Event::UserRegistered { user_id: user.id };
    lyceum_outbox::push(&transaction, &event).await?;
    let (id, role) = (user.id, user.role);
    let answer = transaction.commit(Opened(user)).await?;
    outbox.wake();
    tracing::info!(
        event = "user.registered",
        user.id = id.get(),
        role = role.as_str(),
        "registered"
    );
    Ok(answer)
}

/// Whether a row was refused because somebody has its address.
pub(crate) fn is_email_taken(error: &DbErr) -> bool {
    violated_constraint(error).as_deref() == Some(ONE_ACCOUNT_PER_ADDRESS)
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    #[error("there is no such account")]
    NoSuchUser,
    /// The caller has seen an older version.
    #[error("the account has changed meanwhile")]
    Stale,
    /// Nobody could run the platform any more.
    #[error("no active admin would be left")]
    LastAdmin,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Changes an account that is still as the caller has seen it, and promises `user.updated`;
/// without a change it stays as it is. Access tokens that name another role stop counting.
pub(crate) async fn update_user(
    database: &Database,
    outbox: &Waker,
    caller: &CurrentUser,
    id: UserId,
    seen: IfMatch,
    patch: AccountPatch,
    now: OffsetDateTime,
) -> Result<Model, UpdateError> {
    let transaction = database.begin_write().await?;
    let others = match patch.role {
        Change::Set(_) => Some(admins::hold(&transaction, &[id]).await?),
        Change::Keep => None,
    };
    let user = store::lock(&transaction, id)
        .await?
        .ok_or(UpdateError::NoSuchUser)?;
    if matches!(seen, IfMatch::Version(version) if version != user.version) {
        return Err(UpdateError::Stale);
    }
    let Some(changed) = apply(patch, &user, now) else {
        return Ok(user);
    };
    let updated = store::update(&transaction, changed).await?;
    let demotes = updated.role != Role::Admin;
    if others.is_some_and(|admins| demotes && admins.are_gone_without(&[id])) {
        return Err(UpdateError::LastAdmin);
    }
    if updated.role != user.role {
        let record = Record {
            actor: Some(caller.id),
            subject: Some(id),
            action: Action::RoleChanged,
        };
        audit::record(&transaction, record, now).await?;
    }
    lyceum_outbox::push(&transaction, &Event::UserUpdated { user_id: id }).await?;
    transaction.commit().await?;
    outbox.wake();
    if updated.role != user.role {
        tracing::info!(
            event = "user.role_changed",
            user.id = id.get(),
            from = user.role.as_str(),
            to = updated.role.as_str(),
            "role changed"
        );
    }
    Ok(updated)
}

/// The row with the patch applied; `None` when that changes nothing.
fn apply(patch: AccountPatch, user: &Model, now: OffsetDateTime) -> Option<ActiveModel> {
    let mut row = user.clone().into_active_model();
    if let Change::Set(name) = patch.full_name {
        row.full_name.set_if_not_equals(name.into_inner());
    }
    if let Change::Set(role) = patch.role {
        row.role.set_if_not_equals(role);
    }
    if row.full_name.is_unchanged() && row.role.is_unchanged() {
        return None;
    }
    if row.role.is_set() {
        row.token_version = Set(user.token_version + 1);
    }
    row.version = Set(user.version + 1);
    row.updated_at = Set(now);
    Some(row)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use lyceum_chassis::clock;
    use lyceum_testing::database::TestDatabase;
    use sea_orm::{EntityTrait, PaginatorTrait};

    use super::*;
    use crate::entity::user;
    use crate::test_database::{connect, settings};

    /// Without the passwords, whose hashing lets a handful through at a time: here all of them
    /// reach the constraint together, as many as there are connections.
    #[tokio::test(flavor = "multi_thread")]
    async fn of_a_thousand_registrations_of_one_address_one_is_written_and_none_fails() {
        let place = TestDatabase::create();
        let mut settings = settings(&place);
        // On a machine that is busy with other things, the last one waits for the others.
        settings.acquire_timeout_ms = 60_000;
        let database = connect(&settings).await;
        let waker = Waker::default();
        let registrations = (0..1_000).map(|_| {
            let account = NewAccount {
                email: Email::parse("ada@example.org").unwrap(),
                full_name: FullName::parse("Ada".to_owned()).unwrap(),
                password_hash: "a hash".to_owned(),
                role: Role::Student,
            };
            register_user(&database, &waker, Keyed::none(), account, clock::now())
        });
        let answers = tokio::time::timeout(Duration::from_mins(2), join_all(registrations));
        let answers = answers.await.unwrap();
        let opened = answers.iter().filter(|answer| answer.is_ok()).count();
        let taken = |answer: &&Result<Answer, RegisterError>| {
            matches!(answer, Err(RegisterError::EmailTaken))
        };
        let taken = answers.iter().filter(taken).count();
        assert_eq!((opened, taken), (1, 999));
        assert_eq!(user::Entity::find().count(&database).await.unwrap(), 1);
        database.close().await;
    }
}
