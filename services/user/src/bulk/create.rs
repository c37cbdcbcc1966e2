//! Opens many accounts.

use std::collections::HashMap;

use futures_util::future::join;
use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::http::Answer;
use lyceum_chassis::idempotency::{Begun, Keyed, KeyedError};
use lyceum_contracts::bulk::{BulkMode, BulkResults, CreatedUsers};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::User;
use time::OffsetDateTime;

use super::domain::{Refusal, Verdict, judge, results};
use super::opening::{Opening, Promises};
use super::requests::{Creation, NewMember};
use super::store;
use crate::password::{HashError, Hasher};
use crate::state::State;

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

/// Opens the accounts once per key. Who has a password is promised as `user.registered`, who has
/// none a letter to choose it by.
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
    let free: Vec<&Opening> = openings.iter().flatten().collect();
    let ids = store::insert(&transaction, &free, now).await?;
    let promises = Promises::of(&free, &ids);
    let verdicts = opened(openings, &ids, now);
    let created = verdicts.iter().flatten().count();
    let refused = verdicts.len() - created;
    if mode == BulkMode::Atomic && refused > 0 {
        return Err(refuse(&verdicts));
    }
    // The answer is put into words while the database is at work.
    let (made, answer) = join(promises.make(&transaction, admin, now), async {
        answer(mode, verdicts)
    })
    .await;
    made?;
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
        let hash = member.password.as_ref().and_then(|_| hashes.next());
        let NewMember {
            email,
            full_name,
            role,
            ..
        } = member;
        Ok(match hash {
            Some(hash) => Opening::with_password(email, full_name, role, hash),
            None => Opening::by_invitation(email, full_name, role),
        })
    });
    Ok(openings.collect())
}

/// What was opened, now that the ids of those are known by address.
fn opened(
    openings: Vec<Verdict<Opening>>,
    ids: &HashMap<String, UserId>,
    now: OffsetDateTime,
) -> Vec<Verdict<User>> {
    let openings = openings.into_iter().enumerate();
    let opened = openings.map(|(index, opening)| {
        let opening = opening?;
        let id = ids.get(opening.address());
        let id = id.ok_or_else(|| Refusal::taken(index))?;
        Ok(opening.into_user(*id, now))
    });
    opened.collect()
}

fn answer(mode: BulkMode, verdicts: Vec<Verdict<User>>) -> Answer {
    match mode {
        BulkMode::Atomic => Answer::created_all(&CreatedUsers {
            items: verdicts.into_iter().flatten().collect(),
        }),
        BulkMode::Partial => Answer::multi_status(&BulkResults {
            items: results(201, verdicts),
        }),
    }
}
