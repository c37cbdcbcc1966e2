//! Opens many accounts.

use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::http::Answer;
use lyceum_chassis::idempotency::{Begun, Keyed, KeyedError};
use lyceum_contracts::bulk::{BulkMode, BulkResults, CreatedUsers};
use lyceum_contracts::event::Event;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{AccountStatus, User};
use sea_orm::ConnectionTrait;
use time::OffsetDateTime;

use super::domain::{Refusal, Verdict, judge, results};
use super::requests::{Creation, NewMember};
use super::store;
use crate::accounts::{Email, FullName};
use crate::audit::{self, Action, Record};
use crate::entity::user::{Model, NO_PASSWORD, fold_name};
use crate::links;
use crate::password::{HashError, Hasher};
use crate::state::State;

/// An account that is still to be written.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) email: Email,
    pub(super) full_name: FullName,
    pub(super) role: Role,
    /// PHC string, or [`NO_PASSWORD`].
    pub(super) password_hash: String,
    pub(super) status: AccountStatus,
}

/// Why no account was opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateError {
    /// Items stand and fall together, and these were in the way.
    #[error("some items cannot be")]
    Refused(Refusal),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Keyed(#[from] KeyedError),
}

impl From<DbErr> for CreateError {
    fn from(error: DbErr) -> Self {
        KeyedError::from(error).into()
    }
}

/// Opens the accounts once per key, and promises `user.registered` for each; who has no password
/// is promised a letter to choose it by.
///
/// Somebody who is invited has an inbox from now on, like everybody else: what they are told
/// before they accept waits for them there.
pub(crate) async fn create_users(
    state: &State,
    admin: UserId,
    keyed: Keyed,
    creation: Creation,
    now: OffsetDateTime,
) -> Result<Answer, CreateError> {
    // Spares a repeat the hashes.
    if let Some(answer) = keyed.answered(&state.database).await? {
        return Ok(answer);
    }
    let Creation { mode, items } = creation;
    let verdicts = judge(items);
    if mode == BulkMode::Atomic && verdicts.iter().any(Result::is_err) {
        let verdicts = with_taken(&state.database, verdicts).await?;
        return Err(refuse(&verdicts));
    }
    let openings = prepare(&state.hasher, verdicts).await?;
    let transaction = match keyed.begin(&state.database, now).await? {
        Begun::First(transaction) => transaction,
        Begun::Again(answer) => return Ok(answer),
    };
    let verdicts = write(&transaction, openings, admin, now).await?;
    let created = verdicts.iter().flatten().count();
    let refused = verdicts.len() - created;
    let answer = match mode {
        BulkMode::Atomic if refused > 0 => return Err(refuse(&verdicts)),
        BulkMode::Atomic => Answer::created_all(&CreatedUsers {
            items: verdicts.into_iter().flatten().collect(),
        }),
        BulkMode::Partial => Answer::multi_status(&BulkResults {
            items: results(201, verdicts),
        }),
    };
    let answer = transaction.commit(answer).await?;
    state.outbox.wake();
    tracing::info!(
        event = "users.bulk_created",
        user.id = admin.get(),
        created,
        refused,
        "accounts opened in bulk"
    );
    Ok(answer)
}

fn refuse<T>(verdicts: &[Verdict<T>]) -> CreateError {
    let refusals = verdicts.iter().filter_map(|verdict| verdict.as_ref().err());
    CreateError::Refused(Refusal::all(refusals))
}

/// Also refuses what has an account: whoever must mend some items is told of these as well.
async fn with_taken(
    database: &Database,
    verdicts: Vec<Verdict<NewMember>>,
) -> Result<Vec<Verdict<NewMember>>, DbErr> {
    let addresses = verdicts.iter().flatten();
    let addresses = addresses.map(|member| member.email.folded());
    let taken = store::taken(database, addresses).await?;
    let verdicts = verdicts.into_iter().enumerate();
    let verdicts = verdicts.map(|(index, verdict)| {
        let member = verdict?;
        if taken.contains(member.email.folded()) {
            return Err(Refusal::taken(index));
        }
        Ok(member)
    });
    Ok(verdicts.collect())
}

/// Hashes the passwords, before anything is held.
async fn prepare(
    hasher: &Hasher,
    verdicts: Vec<Verdict<NewMember>>,
) -> Result<Vec<Verdict<Opening>>, HashError> {
    let members = verdicts.iter().flatten();
    let passwords = members.filter_map(|member| member.password.clone());
    let mut hashes = hasher.hash_all(passwords.collect()).await?.into_iter();
    let openings = verdicts.into_iter().map(|verdict| {
        let member = verdict?;
        let hash = member.password.and_then(|_| hashes.next());
        let (password_hash, status) = match hash {
            Some(hash) => (hash, AccountStatus::Active),
            None => (NO_PASSWORD.to_owned(), AccountStatus::Invited),
        };
        Ok(Opening {
            email: member.email,
            full_name: member.full_name,
            role: member.role,
            password_hash,
            status,
        })
    });
    Ok(openings.collect())
}

/// Writes the accounts whose addresses are free, with all that follows from them.
async fn write(
    transaction: &impl ConnectionTrait,
    openings: Vec<Verdict<Opening>>,
    admin: UserId,
    now: OffsetDateTime,
) -> Result<Vec<Verdict<User>>, DbErr> {
    let ids = store::insert(transaction, openings.iter().flatten(), now).await?;
    let verdicts = openings.into_iter().enumerate();
    let verdicts = verdicts.map(|(index, opening)| {
        let opening = opening?;
        let id = ids.get(opening.email.folded());
        let id = id.ok_or_else(|| Refusal::taken(index))?;
        Ok(opening.into_user(*id, now))
    });
    let verdicts: Vec<Verdict<User>> = verdicts.collect();

    let users = || verdicts.iter().flatten();
    let events = users().map(|user| Event::UserRegistered { user_id: user.id });
    lyceum_outbox::push_all(transaction, &events.collect::<Vec<_>>()).await?;
    let invited = users().filter(|user| user.status == AccountStatus::Invited);
    let invited: Vec<UserId> = invited.map(|user| user.id).collect();
    links::commands::invite(transaction, &invited, now).await?;
    let invited = invited.into_iter().map(|user| Record {
        actor: Some(admin),
        subject: Some(user),
        action: Action::Invited,
    });
    audit::record_all(transaction, invited, now).await?;
    Ok(verdicts)
}

impl Opening {
    /// As the account was written.
    fn into_user(self, id: UserId, now: OffsetDateTime) -> User {
        Model {
            id,
            email: self.email.typed().to_owned(),
            email_folded: self.email.folded().to_owned(),
            full_name_folded: fold_name(self.full_name.as_str()),
            full_name: self.full_name.into_inner(),
            password_hash: self.password_hash,
            role: self.role,
            version: 1,
            created_at: now,
            updated_at: now,
            status: self.status,
            token_version: 1,
            deleted_at: None,
        }
        .into()
    }
}
