//! What admins do to receivers, and what is written down for them when something happens.

use std::sync::Arc;

use lyceum_chassis::database::{Database, DbErr, Transaction};
use lyceum_chassis::http::Change;
use lyceum_client::outside::UnfitTarget;
use lyceum_contracts::ids::WebhookId;
use lyceum_contracts::webhook::{DisabledBecause, EventKind};
use lyceum_outbox::intake::Arrived;
use sea_orm::{ActiveModelTrait, IntoActiveModel, Set};
use time::OffsetDateTime;
use tokio::sync::Notify;

use super::deliveries::store as deliveries;
use super::deliveries::store::Message;
use super::domain;
use super::requests::{Patch, Registration, within};
use super::secret::SigningSecret;
use super::settings::WebhooksSettings;
use super::store;
use crate::entity::webhook::Model;

/// Where messages are caused; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Webhooks {
    bell: Arc<Notify>,
    settings: WebhooksSettings,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WebhookError {
    #[error("there is no such webhook")]
    Missing,
    #[error("there are {0} webhooks, and no more may be")]
    TooMany(u64),
    #[error(transparent)]
    Url(#[from] UnfitTarget),
    #[error("the message is being sent")]
    Sending,
    #[error("the webhook is disabled")]
    Disabled,
    #[error(transparent)]
    Database(#[from] DbErr),
}

impl Webhooks {
    /// Prepares it.
    pub(super) fn new(settings: &WebhooksSettings) -> Self {
        Self {
            bell: Arc::default(),
            settings: settings.clone(),
        }
    }

    /// What of these events somebody wants to be told; nobody deletes the receivers until the
    /// transaction ends.
    pub(crate) async fn wanted(
        transaction: &Transaction,
        events: &[&Arrived<'_>],
    ) -> Result<Vec<Message>, DbErr> {
        let kinds = events.iter().filter_map(|arrived| {
            let (kind, about) = EventKind::of(&arrived.envelope.event)?;
            Some((*arrived, kind, about))
        });
        let kinds: Vec<_> = kinds.collect();
        if kinds.is_empty() {
            return Ok(Vec::new());
        }
        let enabled = store::enabled(transaction).await?;
        let mut messages = Vec::new();
        for (arrived, event, about) in kinds {
            let wanting = enabled.iter().filter(|(_, wants)| wants.contains(&event));
            let receivers: Vec<_> = wanting.map(|(receiver, _)| *receiver).collect();
            if receivers.is_empty() {
                continue;
            }
            let body = domain::body(event, arrived.envelope);
            messages.push(Message {
                receivers,
                id: domain::message_id(arrived.envelope.event_id),
                event,
                about,
                body: body.map_err(|error| DbErr::Json(error.to_string()))?,
                traceparent: arrived.traceparent(),
            });
        }
        Ok(messages)
    }

    /// Writes messages down within the transaction in which they were [`Self::wanted`]; the caller
    /// wakes the courier after the commit.
    pub(crate) async fn enqueue(
        transaction: &Transaction,
        messages: &[Message],
        now: OffsetDateTime,
    ) -> Result<(), DbErr> {
        deliveries::insert(transaction, messages, now).await
    }

    /// To be called after the commit; never blocks, and calls that come together are one.
    pub(crate) fn wake(&self) {
        self.bell.notify_one();
    }

    pub(super) async fn woken(&self) {
        self.bell.notified().await;
    }

    /// Registers a receiver.
    pub(super) async fn register(
        &self,
        database: &Database,
        new: Registration,
        now: OffsetDateTime,
    ) -> Result<Model, WebhookError> {
        let url = within(&new.url, self.settings.reach())?;
        let transaction = database.begin_write().await?;
        let most = self.settings.most;
        // Two who come at once on Postgres may be one too many, which hurts nobody.
        if store::count(&transaction).await? >= most {
            return Err(WebhookError::TooMany(most));
        }
        let secret = SigningSecret::generate();
        let webhook = store::insert(&transaction, url, &new.events, secret, now).await?;
        transaction.commit().await?;
        Ok(webhook)
    }

    /// Changes what is named. A receiver that is enabled, or sent to elsewhere, begins anew; of one
    /// that is disabled, what waits is cancelled.
    pub(super) async fn change(
        &self,
        database: &Database,
        id: WebhookId,
        patch: Patch,
        now: OffsetDateTime,
    ) -> Result<Model, WebhookError> {
        let transaction = database.begin_write().await?;
        let webhook = found(store::lock(&transaction, id).await?)?;
        let was_enabled = webhook.disabled_because.is_none();
        let mut row = webhook.into_active_model();
        if let Change::Set(url) = patch.url {
            row.url = Set(within(&url, self.settings.reach())?);
            row.failing_since = Set(None);
        }
        if let Change::Set(events) = patch.events {
            row.events = Set(domain::kept(&events));
        }
        match patch.enabled {
            Change::Set(true) if !was_enabled => {
                row.disabled_because = Set(None);
                row.failing_since = Set(None);
            }
            Change::Set(false) if was_enabled => {
                row.disabled_because = Set(Some(DisabledBecause::Admin));
                deliveries::cancel_waiting(&transaction, id, now).await?;
            }
            Change::Set(_) | Change::Keep => {}
        }
        row.updated_at = Set(now);
        let webhook = row.update(&transaction).await?;
        transaction.commit().await?;
        Ok(webhook)
    }

    /// Gives a receiver a new secret; the one it had signs too for a while.
    pub(super) async fn rotate(
        &self,
        database: &Database,
        id: WebhookId,
        now: OffsetDateTime,
    ) -> Result<Model, WebhookError> {
        let transaction = database.begin_write().await?;
        let webhook = found(store::lock(&transaction, id).await?)?;
        let old = webhook.secret.clone();
        let mut row = webhook.into_active_model();
        row.secret = Set(SigningSecret::generate());
        row.old_secret = Set(Some(old));
        row.old_secret_until = Set(Some(now + self.settings.old_secret()));
        row.updated_at = Set(now);
        let webhook = row.update(&transaction).await?;
        transaction.commit().await?;
        Ok(webhook)
    }
}

/// Forgets a receiver, and everything that was to be sent to it.
pub(super) async fn remove(database: &Database, id: WebhookId) -> Result<(), WebhookError> {
    if store::delete(database, id).await? {
        Ok(())
    } else {
        Err(WebhookError::Missing)
    }
}

fn found(webhook: Option<Model>) -> Result<Model, WebhookError> {
    webhook.ok_or(WebhookError::Missing)
}
