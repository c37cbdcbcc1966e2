//! Calls access tokens in, in the transaction that makes it necessary.
//!
//! Await `Feed::catch_up` after the commit, and this process refuses them before it answers. All
//! others do within two seconds, and so does this one without it.

use std::time::Duration;

use lyceum_chassis::auth::LEEWAY;
use lyceum_chassis::database::DbErr;
use lyceum_contracts::ids::{SessionId, UserId};
use sea_orm::{ActiveValue, ConnectionTrait, EntityTrait, Set};
use time::OffsetDateTime;

use crate::entity::revocation;

/// How long an access token can count at most: the longest `tokens.access_lifetime_s` there can
/// be, since that of the past is not known, and what clocks may differ by.
pub(crate) const LONGEST_LIFE: Duration = Duration::from_hours(1).saturating_add(LEEWAY);

/// Calls in the tokens of some sessions of a person.
pub(crate) async fn sessions(
    transaction: &impl ConnectionTrait,
    user_id: UserId,
    session_ids: &[SessionId],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let rows = session_ids.iter().map(|id| revocation::ActiveModel {
        session_id: Set(Some(id.get())),
        ..row(user_id, now)
    });
    insert(transaction, rows).await
}

/// Calls in the tokens of people whose version is below the one named: those issued before their
/// accounts came to be as they are now.
pub(crate) async fn versions_below(
    transaction: &impl ConnectionTrait,
    versions: &[(UserId, i64)],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let rows = versions
        .iter()
        .map(|(user_id, version)| revocation::ActiveModel {
            below_version: Set(Some(*version)),
            ..row(*user_id, now)
        });
    insert(transaction, rows).await
}

fn row(user_id: UserId, now: OffsetDateTime) -> revocation::ActiveModel {
    revocation::ActiveModel {
        id: ActiveValue::NotSet,
        seq: Set(None),
        user_id: Set(user_id),
        session_id: Set(None),
        below_version: Set(None),
        revoked_at: Set(now),
        expires_at: Set(now + LONGEST_LIFE),
    }
}

async fn insert(
    transaction: &impl ConnectionTrait,
    rows: impl ExactSizeIterator<Item = revocation::ActiveModel>,
) -> Result<(), DbErr> {
    if rows.len() == 0 {
        return Ok(());
    }
    revocation::Entity::insert_many(rows)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}
