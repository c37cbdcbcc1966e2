//! The table `mails`: one row per letter.

use lyceum_contracts::delivery::{Delivery, DeliveryState};
use lyceum_contracts::ids::{DeliveryId, UserId};
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mails")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: DeliveryId,
    pub(crate) user_id: UserId,
    /// With `input`, what the letter says; see `mail::letter`.
    pub(crate) template: String,
    /// Ids, and what was published: no name, no address, no token.
    pub(crate) input: Json,
    pub(crate) state: DeliveryState,
    /// Attempts that failed.
    pub(crate) attempts: i64,
    /// How often it was claimed: who holds an older number holds nothing.
    pub(crate) claims: i64,
    /// When it may be claimed: at its next attempt, or when the lease of a claim ends.
    pub(crate) due_at: OffsetDateTime,
    /// Made once, with the row.
    pub(crate) message_id: String,
    pub(crate) error: Option<String>,
    /// Of the event that caused it.
    pub(crate) traceparent: Option<String>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

impl ActiveModelBehavior for ActiveModel {}

/// What an admin sees of it.
impl From<Model> for Delivery {
    fn from(row: Model) -> Self {
        let open = matches!(row.state, DeliveryState::Queued | DeliveryState::Sending);
        Self {
            id: row.id,
            user_id: row.user_id,
            template: row.template,
            state: row.state,
            attempts: row.attempts,
            due_at: open.then_some(row.due_at),
            message_id: row.message_id,
            error: row.error,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
