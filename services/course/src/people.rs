//! Whether somebody has an account: the user service knows, and is asked at most once a minute.
//!
//! Only people who were found are remembered. Somebody who is missing is asked for again, so a
//! fresh account is never turned away because of an old answer.

use std::time::Duration;

use lyceum_client::{ClientError, UserClient};
use lyceum_contracts::ids::UserId;
use moka::future::Cache;

use crate::settings::PeopleSettings;

/// The user service's answers; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct People {
    users: UserClient,
    known: Cache<UserId, ()>,
}

/// Why somebody cannot be relied on to exist.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PersonError {
    /// The token is still good; the account is not.
    #[error("the account no longer exists")]
    Gone,
    /// The user service could not say.
    #[error(transparent)]
    Unknown(#[from] ClientError),
}

impl People {
    pub(crate) fn new(users: UserClient, settings: &PeopleSettings) -> Self {
        let known = Cache::builder()
            .max_capacity(settings.remembered)
            .time_to_live(Duration::from_millis(settings.known_for_ms))
            .build();
        Self { users, known }
    }

    /// Is to ask again: the account is gone.
    pub(crate) async fn forget(&self, person: UserId) {
        self.known.invalidate(&person).await;
    }

    /// Goes on when `person` has an account.
    pub(crate) async fn require(&self, person: UserId) -> Result<(), PersonError> {
        if self.known.contains_key(&person) {
            return Ok(());
        }
        if self.users.find(person).await?.is_none() {
            tracing::warn!(
                event = "auth.account_gone",
                user.id = person.get(),
                "a token has outlived its account"
            );
            return Err(PersonError::Gone);
        }
        self.known.insert(person, ()).await;
        Ok(())
    }
}
