//! The table `webhooks`: one row per receiver.

use lyceum_contracts::ids::WebhookId;
use lyceum_contracts::webhook::{DisabledBecause, Webhook};
use sea_orm::entity::prelude::*;
use time::OffsetDateTime;

use crate::webhooks::SigningSecret;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhooks")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: WebhookId,
    pub(crate) url: String,
    /// Names of kinds of events.
    pub(crate) events: Json,
    pub(crate) secret: SigningSecret,
    /// The secret before that; it signs too until `old_secret_until`.
    pub(crate) old_secret: Option<SigningSecret>,
    pub(crate) old_secret_until: Option<OffsetDateTime>,
    /// Why nothing is sent; without it messages are.
    pub(crate) disabled_because: Option<DisabledBecause>,
    /// Since when everything has failed.
    pub(crate) failing_since: Option<OffsetDateTime>,
    pub(crate) created_at: OffsetDateTime,
    pub(crate) updated_at: OffsetDateTime,
}

impl ActiveModelBehavior for ActiveModel {}

/// What an admin sees of it.
impl From<Model> for Webhook {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            url: row.url,
            events: crate::webhooks::kinds(&row.events),
            enabled: row.disabled_because.is_none(),
            disabled_because: row.disabled_because,
            failing_since: row.failing_since,
            old_secret_until: row.old_secret_until,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}
