//! A request under its key, from `begin` to `commit`.

use std::fmt;
use std::ops::Deref;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lyceum_client::ServiceName;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::problem::ProblemKind;
use sea_orm::prelude::async_trait::async_trait;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use super::store;
use crate::database::{Database, Transaction};
use crate::http::{Answer, ApiError};

/// Whose key it is: callers do not share theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Whoever asks without a token: all of them together.
    Anybody,
    /// A person.
    Person(UserId),
    /// A service of the platform.
    Service(ServiceName),
}

impl From<UserId> for Owner {
    fn from(id: UserId) -> Self {
        Self::Person(id)
    }
}

impl From<ServiceName> for Owner {
    fn from(name: ServiceName) -> Self {
        Self::Service(name)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anybody => f.write_str("anybody"),
            Self::Person(id) => write!(f, "user:{id}"),
            Self::Service(name) => write!(f, "service:{name}"),
        }
    }
}

/// A request, under its key if it has one.
#[derive(Debug)]
#[must_use = "it is begun in the place of a transaction"]
pub struct Keyed(Option<Claim>);

/// What a row of `idempotency_keys` begins as.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) owner: String,
    /// Method and pattern: `POST /courses/{id}/enrolments`.
    pub(super) route: String,
    pub(super) key: String,
    pub(super) fingerprint: String,
}

impl Claim {
    /// The answer to give again, if what was asked under the key is what is asked now.
    fn replay(&self, (fingerprint, answer): (String, Answer)) -> Result<Answer, KeyedError> {
        if fingerprint != self.fingerprint {
            return Err(KeyedError::Reused);
        }
        tracing::info!(
            event = "idempotency.replayed",
            http.route = self.route,
            "answered as before"
        );
        Ok(answer.again())
    }
}

/// How a keyed request begins.
#[derive(Debug)]
pub enum Begun {
    /// It has not had its effect yet, and has it in this transaction.
    First(KeyedTransaction),
    /// It had its effect before, and was answered so.
    Again(Answer),
}

/// Why a keyed request cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum KeyedError {
    /// Its key belongs to another request of the same caller.
    #[error("the idempotency key was used for another request")]
    Reused,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl From<KeyedError> for ApiError {
    fn from(error: KeyedError) -> Self {
        match error {
            KeyedError::Reused => Self::of(ProblemKind::IdempotencyKeyReused)
                .detail("this Idempotency-Key was sent with another request; take a new one"),
            KeyedError::Database(error) => error.into(),
        }
    }
}

impl Keyed {
    /// For what nobody sends twice: a request without a key, or no request at all.
    pub const fn none() -> Self {
        Self(None)
    }

    pub(super) fn new(owner: &Owner, route: String, key: String, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // Each part with its length: none can end as the next begins.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(Some(Claim {
            owner: owner.to_string(),
            route,
            key,
            fingerprint: URL_SAFE_NO_PAD.encode(hash.finalize()),
        }))
    }

    /// The answer, when the request has had its effect already: for what is costly to prepare and
    /// would be prepared in vain. Only [`Self::begin`] knows that it has not.
    ///
    /// # Errors
    /// [`KeyedError`].
    pub async fn answered(&self, database: &Database) -> Result<Option<Answer>, KeyedError> {
        let Some(claim) = &self.0 else {
            return Ok(None);
        };
        match store::find(database, claim).await? {
            Some(found) => claim.replay(found).map(Some),
            None => Ok(None),
        }
    }

    /// Begins the transaction of the effect, or finds the answer.
    ///
    /// While the same request is under way elsewhere this waits for its end: on Postgres for its
    /// row, on `SQLite` for the turn to write.
    ///
    /// # Errors
    /// [`KeyedError`]; waiting has the limits of any statement.
    pub async fn begin(
        self,
        database: &Database,
        now: OffsetDateTime,
    ) -> Result<Begun, KeyedError> {
        let transaction = database.begin_write().await?;
        let Some(claim) = self.0 else {
            let row = None;
            return Ok(Begun::First(KeyedTransaction { transaction, row }));
        };
        // Once, but for a row that is pruned between the two statements.
        loop {
            if let Some(row) = store::insert(&transaction, &claim, now).await? {
                let row = Some(row);
                return Ok(Begun::First(KeyedTransaction { transaction, row }));
            }
            if let Some(found) = store::find(&transaction, &claim).await? {
                transaction.rollback().await?;
                return claim.replay(found).map(Begun::Again);
            }
        }
    }
}

/// The transaction of an effect, which ends with the answer to it. Dropped without
/// [`Self::commit`], nothing has happened, and the key is free.
#[derive(Debug)]
#[must_use = "dropping a transaction rolls it back"]
pub struct KeyedTransaction {
    transaction: Transaction,
    row: Option<i64>,
}

impl KeyedTransaction {
    /// Makes the effect true for everybody, and keeps the answer for whoever asks again.
    ///
    /// # Errors
    /// As [`Transaction::commit`]; and when the answer is too large to be kept, which no route may
    /// give.
    pub async fn commit(self, outcome: impl Into<Answer>) -> Result<Answer, DbErr> {
        let answer = outcome.into();
        if let Some(row) = self.row {
            store::keep(&self.transaction, row, &answer).await?;
        }
        self.transaction.commit().await?;
        Ok(answer)
    }
}

/// For what wants the transaction itself, such as a lock.
impl Deref for KeyedTransaction {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        &self.transaction
    }
}

/// For stores, which take any connection.
#[async_trait]
impl ConnectionTrait for KeyedTransaction {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.transaction.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.transaction.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.transaction.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.transaction.query_all_raw(statement).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(parts: &[&[u8]]) -> String {
        let keyed = Keyed::new(&Owner::Anybody, String::new(), String::new(), parts);
        keyed.0.unwrap().fingerprint
    }

    #[test]
    fn requests_that_differ_anywhere_have_fingerprints_that_differ() {
        let all = [
            fingerprint(&[b"/a", b"{}"]),
            fingerprint(&[b"/a{", b"}"]),
            fingerprint(&[b"/a{}", b""]),
            fingerprint(&[b"/b", b"{}"]),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(all[0], fingerprint(&[b"/a", b"{}"]));
    }

    #[test]
    fn no_two_callers_share_a_name() {
        let user = UserId::try_from(7).unwrap();
        let service: ServiceName = "user".parse().unwrap();
        assert_eq!(Owner::from(user).to_string(), "user:7");
        assert_eq!(Owner::from(service).to_string(), "service:user");
        assert_eq!(Owner::Anybody.to_string(), "anybody");
    }
}
