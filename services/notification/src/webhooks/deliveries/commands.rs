//! What is written down of a message after an attempt, and sending it again.

use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::ids::{WebhookDeliveryId, WebhookId};
use lyceum_contracts::webhook::DisabledBecause;
use sea_orm::{ActiveModelTrait, ConnectionTrait, IntoActiveModel, Set};
use time::OffsetDateTime;

use super::store;
use crate::entity::webhook::Model as Receiver;
use crate::entity::webhook_delivery::Model;
use crate::schedule::{self, Outcome, Standing};
use crate::webhooks::commands::{WebhookError, Webhooks};
use crate::webhooks::domain::{Attempt, Health, health};
use crate::webhooks::settings::WebhooksSettings;
use crate::webhooks::store as receivers;

/// Nobody who asks to be left alone is believed for longer.
const LONGEST_REST: std::time::Duration = std::time::Duration::from_hours(1);

/// Writes down what became of a message, and what that means for its receiver; why the receiver is
/// disabled now, if it is.
pub(super) async fn settle(
    database: &Database,
    claim: &Model,
    attempt: &Attempt,
    settings: &WebhooksSettings,
    now: OffsetDateTime,
) -> Result<Option<DisabledBecause>, DbErr> {
    let transaction = database.begin_write().await?;
    let Some(receiver) = receivers::lock(&transaction, claim.webhook_id).await? else {
        // Forgotten meanwhile, and the message with it.
        transaction.rollback().await?;
        return Ok(None);
    };
    let standing = standing(claim, attempt, &receiver, now);
    store::settle(&transaction, claim, standing, attempt.status, now).await?;
    let patience = settings.disable_after();
    let health = health(attempt, receiver.failing_since, now, patience);
    let disabled = change(&transaction, receiver, health, now).await?;
    transaction.commit().await?;
    Ok(disabled)
}

fn standing(
    claim: &Model,
    attempt: &Attempt,
    receiver: &Receiver,
    now: OffsetDateTime,
) -> Standing {
    let mut rng = fastrand::Rng::new();
    let mut standing = schedule::after(&attempt.outcome, claim.attempts, now, &mut rng);
    if standing.state == DeliveryState::Queued {
        if receiver.disabled_because.is_some() {
            // While it was on its way; nobody would cancel it later.
            let unwanted = Outcome::Unwanted("disabled".into());
            return schedule::after(&unwanted, standing.attempts, now, &mut rng);
        }
        if let Some(rest) = attempt.retry_after {
            standing.due_at = standing.due_at.max(now + rest.min(LONGEST_REST));
        }
    }
    standing
}

async fn change(
    transaction: &impl ConnectionTrait,
    receiver: Receiver,
    health: Health,
    now: OffsetDateTime,
) -> Result<Option<DisabledBecause>, DbErr> {
    let (id, is_enabled) = (receiver.id, receiver.disabled_because.is_none());
    let mut row = receiver.into_active_model();
    let mut disabled = None;
    match health {
        Health::Unchanged => return Ok(None),
        Health::Recovered => row.failing_since = Set(None),
        Health::Failing => row.failing_since = Set(Some(now)),
        Health::Disable(_) if !is_enabled => return Ok(None),
        Health::Disable(because) => {
            row.disabled_because = Set(Some(because));
            row.updated_at = Set(now);
            disabled = Some(because);
            store::cancel_waiting(transaction, id, now).await?;
        }
    }
    row.update(transaction).await?;
    Ok(disabled)
}

/// Sends a message again, whatever became of it, under the `webhook-id` it had.
pub(super) async fn resend(
    database: &Database,
    webhooks: &Webhooks,
    receiver: WebhookId,
    id: WebhookDeliveryId,
    now: OffsetDateTime,
) -> Result<Model, WebhookError> {
    let transaction = database.begin_write().await?;
    let webhook = receivers::lock(&transaction, receiver).await?;
    let webhook = webhook.ok_or(WebhookError::Missing)?;
    if !store::exists(&transaction, receiver, id).await? {
        return Err(WebhookError::Missing);
    }
    if webhook.disabled_because.is_some() {
        return Err(WebhookError::Disabled);
    }
    let message = store::requeue(&transaction, receiver, id, now).await?;
    let message = message.ok_or(WebhookError::Sending)?;
    transaction.commit().await?;
    webhooks.wake();
    Ok(message)
}
