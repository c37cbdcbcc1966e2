//! Calls to the notification service.

use lyceum_contracts::ids::UserId;
use lyceum_contracts::notification::{EventBatch, EventReceipt, UnreadCount};

use crate::{ClientError, Freshness, Identity, Reading, SettingsError, Upstream, UpstreamSettings};

/// The notification service, as its peers call it. Cheap to clone; clones share connections and
/// breaker.
#[derive(Debug, Clone)]
pub struct NotificationClient {
    upstream: Upstream,
    freshness: Freshness,
}

impl NotificationClient {
    /// Checks the settings and prepares the connection pool; sends nothing.
    pub fn new(settings: &UpstreamSettings, identity: &Identity) -> Result<Self, SettingsError> {
        Upstream::new("notification", settings, identity).map(Self::from)
    }

    /// The policies and their state, for the operations listener.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// The same client, whose reads take kept answers or not.
    #[must_use]
    pub fn reading(&self, freshness: Freshness) -> Self {
        Self {
            upstream: self.upstream.clone(),
            freshness,
        }
    }

    /// Tells of events, at most [`MAX_BATCH`](lyceum_contracts::event::MAX_BATCH) at a time. Each
    /// has its effect once, however often it is told.
    pub async fn publish(&self, batch: &EventBatch) -> Result<EventReceipt, ClientError> {
        let call = self
            .upstream
            .post("notification.publish", "/internal/events", batch);
        call.keyed().json().await
    }

    /// How many notifications somebody has not read, as old as the section `cache` of the upstream
    /// allows.
    pub async fn unread_count_of(&self, user: UserId) -> Result<Reading<UnreadCount>, ClientError> {
        let path = format!("/internal/users/{user}/unread-count");
        self.upstream
            .get_cached("notification.unread_count_of", path)
            .with(self.freshness)
            .read()
            .await
    }
}

impl From<Upstream> for NotificationClient {
    fn from(upstream: Upstream) -> Self {
        Self {
            upstream,
            freshness: Freshness::Kept,
        }
    }
}
