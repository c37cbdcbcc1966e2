//! Causing letters, and what admins do to them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::settings::SettingsError;
use lyceum_contracts::ids::DeliveryId;
use sea_orm::ConnectionTrait;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tokio::sync::Notify;
use uuid::Uuid;

use super::letter::Letter;
use super::links::Urls;
use super::settings::MailSettings;
use super::store;
use crate::entity::mail::Model;

/// Where letters are caused; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Mails {
    bell: Arc<Notify>,
    /// What stands behind the `@` of every `Message-ID`: that of the sender's address.
    domain: Arc<str>,
    urls: Urls,
}

impl Mails {
    /// Prepares it.
    pub(super) fn new(settings: &MailSettings) -> Result<Self, SettingsError> {
        Ok(Self {
            bell: Arc::default(),
            domain: settings.sender()?.email.domain().into(),
            urls: Urls::new(settings),
        })
    }

    /// Writes letters within the caller's transaction, who wakes the sender after the commit; each
    /// with the trace context of what caused it.
    pub(crate) async fn enqueue(
        &self,
        transaction: &impl ConnectionTrait,
        letters: &[(Letter, Option<String>)],
        now: OffsetDateTime,
    ) -> Result<(), DbErr> {
        let message_id = || format!("<{}@{}>", Uuid::now_v7(), self.domain);
        store::insert(transaction, letters, message_id, now).await
    }

    /// The `Message-ID` of several letters that go as one: the same whenever they are the same, and
    /// another when one more goes with them, or whoever drops what comes twice would drop that.
    pub(super) fn gathered_id<'a>(&self, mails: impl Iterator<Item = &'a Model>) -> String {
        let mut digest = Sha256::new();
        for mail in mails {
            digest.update(&mail.message_id);
        }
        let digest = URL_SAFE_NO_PAD.encode(digest.finalize());
        format!("<{digest}@{}>", self.domain)
    }

    /// To be called after the commit; never blocks, and calls that come together are one.
    pub(crate) fn wake(&self) {
        self.bell.notify_one();
    }

    /// Where the links of letters lead.
    pub(super) const fn urls(&self) -> &Urls {
        &self.urls
    }

    pub(super) async fn woken(&self) {
        self.bell.notified().await;
    }
}

/// Why nothing was done to a letter.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("there is no such letter")]
    Missing,
    #[error("the letter is {0}")]
    State(&'static str),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Lets a letter be tried again at once, with all its attempts before it.
pub(super) async fn retry(
    database: &Database,
    mails: &Mails,
    id: DeliveryId,
    now: OffsetDateTime,
) -> Result<Model, ChangeError> {
    if let Some(mail) = store::requeue(database, id, now).await? {
        mails.wake();
        return Ok(mail);
    }
    Err(refusal(database, id).await)
}

/// Gives a letter up; one that was given up stays so.
pub(super) async fn cancel(
    database: &Database,
    id: DeliveryId,
    now: OffsetDateTime,
) -> Result<Model, ChangeError> {
    if let Some(mail) = store::cancel(database, id, now).await? {
        return Ok(mail);
    }
    Err(refusal(database, id).await)
}

async fn refusal(database: &Database, id: DeliveryId) -> ChangeError {
    match store::find(database, id).await {
        Ok(Some(mail)) => ChangeError::State(mail.state.as_str()),
        Ok(None) => ChangeError::Missing,
        Err(error) => error.into(),
    }
}
