//! Calls to the user service.

use std::collections::HashSet;
use std::time::Duration;

use lyceum_contracts::ids::{LinkId, UserId};
use lyceum_contracts::mailed_link::MailedLinkToken;
use lyceum_contracts::revocation::RevocationPage;
use lyceum_contracts::user::{Contact, ContactPage, Contacts, LookupUsers, MAX_LOOKUP};
use lyceum_resilience::concurrency::try_join_bounded;

use crate::walk::in_order;
use crate::{ClientError, Identity, Malformation, SettingsError, Upstream, UpstreamSettings};

/// How many parts of a long list are asked for at once (the guide's semaphore: 5).
const LOOKUPS_AT_ONCE: usize = 5;

/// The user service, as its peers call it. Cheap to clone; clones share connections and breaker.
#[derive(Debug, Clone)]
pub struct UserClient(Upstream);

impl UserClient {
    /// Checks the settings and prepares the connection pool; sends nothing.
    pub fn new(settings: &UpstreamSettings, identity: &Identity) -> Result<Self, SettingsError> {
        Upstream::new("user", settings, identity).map(Self)
    }

    /// The policies and their state, for the operations listener.
    pub fn upstream(&self) -> &Upstream {
        &self.0
    }

    /// How to reach one person; `None` when there is no such account.
    pub async fn find(&self, user: UserId) -> Result<Option<Contact>, ClientError> {
        let found = self.ask("user.find", &[user]).await?.into_iter().next();
        match found {
            Some(contact) if contact.id != user => {
                Err(ClientError::Malformed(Malformation::SomebodyElse))
            }
            found => Ok(found),
        }
    }

    /// How to reach each of `users`; unknown ids are left out. Sent 200 ids at a time, a few such
    /// calls at once, so an empty list sends nothing.
    pub async fn lookup(&self, users: &[UserId]) -> Result<Vec<Contact>, ClientError> {
        let found = try_join_bounded(users.chunks(MAX_LOOKUP), LOOKUPS_AT_ONCE, |ids| {
            self.ask("user.lookup", ids)
        });
        let found: Vec<Contact> = found.await?.into_iter().flatten().collect();
        let asked: HashSet<UserId> = users.iter().copied().collect();
        if found.iter().all(|contact| asked.contains(&contact.id)) {
            Ok(found)
        } else {
            Err(ClientError::Malformed(Malformation::SomebodyElse))
        }
    }

    /// The next people who may sign in, after `after` by id.
    pub async fn everybody(
        &self,
        after: Option<UserId>,
        limit: u64,
    ) -> Result<ContactPage, ClientError> {
        let from = after.map_or(0, UserId::get);
        let path = format!("/internal/users?after={from}&limit={limit}");
        let page: ContactPage = self.0.get("user.everybody", path).json().await?;
        let ids = page.items.iter().map(|person| person.id);
        in_order(after, ids, page.next_after)?;
        Ok(page)
    }

    /// Makes the token for a letter about `link`; `None` when no letter is to be written any more,
    /// because the link is spent, too old or unknown.
    ///
    /// Each call makes another token that counts beside those before, so asking twice does no
    /// harm.
    pub async fn mailed_link_token(
        &self,
        link: LinkId,
    ) -> Result<Option<MailedLinkToken>, ClientError> {
        let path = format!("/internal/mailed-links/{link}/token");
        let nothing = serde_json::Map::new();
        let call = self.0.post("user.write_letter", path, &nothing);
        match call.idempotent().json().await {
            Ok(letter) => Ok(Some(letter)),
            Err(error) if matches!(error.refused_with(), Some(404 | 410)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The public keys access tokens are verified with.
    pub async fn jwks(&self) -> Result<serde_json::Value, ClientError> {
        self.0
            .get("user.jwks", "/.well-known/jwks.json")
            .json()
            .await
    }

    /// The access tokens called in after place `after` of the list. When there are none, the answer
    /// is held back until there are, for `wait` or half the time of an attempt at most.
    pub async fn revocations(
        &self,
        after: i64,
        wait: Duration,
    ) -> Result<RevocationPage, ClientError> {
        let attempt = Duration::from_millis(self.0.settings().attempt_timeout_ms);
        let wait_ms = wait.min(attempt / 2).as_millis();
        let path = format!("/internal/revocations?after={after}&wait_ms={wait_ms}");
        self.0
            .get("user.revocations", path)
            .unhurried()
            .json()
            .await
    }

    async fn ask(&self, op: &'static str, ids: &[UserId]) -> Result<Vec<Contact>, ClientError> {
        let body = LookupUsers { ids: ids.to_vec() };
        let call = self
            .0
            .post(op, "/internal/users/lookup", &body)
            .idempotent();
        call.json().await.map(|found: Contacts| found.items)
    }
}

impl From<Upstream> for UserClient {
    fn from(upstream: Upstream) -> Self {
        Self(upstream)
    }
}
