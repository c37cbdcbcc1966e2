//! Making the next key: it is published at once and signs when everybody knows it.

use std::fmt;
use std::time::Duration;

use lyceum_chassis::database::{Database, DbErr, violated_constraint};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::revoke::LONGEST_LIFE;
use super::ring::{Ring, Turn};
use super::signing_key::{KeyError, MasterKey, fresh_salt};
use crate::audit::{self, Action, Record};
use crate::entity::signing_key::{self, Column, Entity};

/// How long others may keep the keys; the services ask again after as long.
pub(super) const MAX_AGE: Duration = Duration::from_mins(5);
/// How long a key is published before it signs: until everybody has asked again, and a minute for
/// the processes of this service to read it and for clocks that differ.
const PUBLISHED_BEFORE: Duration = MAX_AGE.saturating_add(Duration::from_mins(1));

/// A key has one successor.
const ONE_SUCCESSOR: &str = "signing_keys_predecessor_key";

/// A key that waits for its turn.
#[derive(Debug)]
pub(super) struct Next {
    kid: String,
    /// When it takes over.
    from: OffsetDateTime,
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = self.from.format(&Rfc3339).map_err(|_| fmt::Error)?;
        write!(f, "{} signs from {from}", self.kid)
    }
}

/// Why there is no next key.
#[derive(Debug, thiserror::Error)]
pub(super) enum RotationError {
    #[error("there is a next key already: {0}; rotate again after that")]
    Waiting(Next),
    #[error("somebody else makes the next key at this moment")]
    AtOnce,
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Makes the next key, and forgets the rows of those that have ended.
pub(super) async fn rotate_keys(
    database: &Database,
    master: &MasterKey,
    now: OffsetDateTime,
) -> Result<Next, RotationError> {
    let transaction = database.begin_write().await?;
    let ring = Ring::of(master, &list(&transaction).await?)?;
    if let Some(Turn { from, key }) = ring.waiting(now) {
        return Err(RotationError::Waiting(Next {
            kid: key.id.clone(),
            from: *from,
        }));
    }
    // The process that signs may have been told of a longer lifetime than this one.
    delete(&transaction, ring.ended(now, LONGEST_LIFE)).await?;
    let salt = fresh_salt();
    let key = master.derive(&salt)?;
    let from = now + PUBLISHED_BEFORE;
    let row = signing_key::ActiveModel {
        kid: Set(key.id.clone()),
        predecessor: Set(ring.newest().id.clone()),
        salt: Set(salt),
        published_at: Set(now),
        active_from: Set(from),
    };
    let inserted = Entity::insert(row).exec_without_returning(&transaction);
    inserted.await.map_err(|error| {
        if violated_constraint(&error).as_deref() == Some(ONE_SUCCESSOR) {
            return RotationError::AtOnce;
        }
        error.into()
    })?;
    let rotated = Record {
        actor: None,
        subject: None,
        action: Action::KeysRotated,
    };
    audit::record(&transaction, rotated, now).await?;
    transaction.commit().await?;
    Ok(Next { kid: key.id, from })
}

/// All keys that may still matter, and those made under another secret; in no order.
pub(super) async fn list(db: &impl ConnectionTrait) -> Result<Vec<signing_key::Model>, DbErr> {
    Entity::find().all(db).await
}

async fn delete(db: &impl ConnectionTrait, kids: Vec<String>) -> Result<(), DbErr> {
    let these = Column::Kid.is_in(kids);
    Entity::delete_many().filter(these).exec(db).await?;
    Ok(())
}
