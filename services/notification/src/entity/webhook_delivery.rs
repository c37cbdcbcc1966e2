//! The table `webhook_deliveries`: one row per message to one receiver.

use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::ids::{UserId, WebhookDeliveryId, WebhookId};
use lyceum_contracts::webhook::WebhookDelivery;
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_deliveries")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: WebhookDeliveryId,
    pub(crate) webhook_id: WebhookId,
    /// Whom it is about.
    pub(crate) user_id: UserId,
    /// The name of a kind of event.
    pub(crate) event: String,
    /// Made from the event; with `webhook_id`, unique.
    pub(crate) message_id: String,
    /// What is signed and sent, byte for byte.
    pub(crate) body: String,
    pub(crate) state: DeliveryState,
    /// Attempts that failed.
    pub(crate) attempts: i64,
    /// How often it was claimed: who holds an older number holds nothing.
    pub(crate) claims: i64,
    /// When it may be claimed: at its next attempt, or when the lease of a claim ends.
    pub(crate) due_at: OffsetDateTime,
    /// HTTP status of the last answer.
    pub(crate) status_code: Option<i64>,
    pub(crate) error: Option<String>,
    /// Of the event that caused it.
    pub(crate) traceparent: Option<String>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

impl ActiveModelBehavior for ActiveModel {}

/// What an admin sees of it.
impl From<Model> for WebhookDelivery {
    fn from(row: Model) -> Self {
        let open = matches!(row.state, DeliveryState::Queued | DeliveryState::Sending);
        Self {
            id: row.id,
            message_id: row.message_id,
            event: row.event,
            state: row.state,
            attempts: row.attempts,
            status_code: row.status_code,
            error: row.error,
            due_at: open.then_some(row.due_at),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
