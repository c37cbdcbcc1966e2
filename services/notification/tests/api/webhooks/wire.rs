//! The service with a receiver of webhooks beside it.

use std::ops::Deref;

use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::ids::WebhookId;
use lyceum_contracts::page::Page;
use lyceum_contracts::webhook::{Webhook, WebhookDelivery, WebhookWithSecret};
use lyceum_notification::settings::WebhooksSettings;
use lyceum_testing::http::Response;
use lyceum_testing::peer::{Answer, Received, ScriptedPeer};
use lyceum_testing::{PATIENCE, eventually};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::platform::{Person, Platform};

/// Where messages arrive.
pub(crate) const HOOK: &str = "POST /hook";

/// A running service and somebody else's machine.
pub(crate) struct Wire {
    platform: Platform,
    pub(crate) receiver: ScriptedPeer,
    pub(crate) admin: Person,
}

impl Deref for Wire {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

impl Wire {
    /// With a receiver that does as it is told.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(configure: impl FnOnce(&mut WebhooksSettings)) -> Self {
        let platform = Platform::with_all(|settings| {
            let webhooks = &mut settings.service.webhooks;
            webhooks.run = true;
            webhooks.allow_private = true;
            webhooks.poll_ms = 50;
            configure(webhooks);
        });
        let admin = platform.holder_of(500, platform.tokens.admin(500));
        Self {
            platform,
            receiver: ScriptedPeer::start(),
            admin,
        }
    }

    /// With a receiver that takes everything, and is told of enrolments.
    pub(crate) async fn well() -> (Self, WebhookWithSecret) {
        let wire = Self::start();
        wire.receiver.on(HOOK).always(Answer::status(204));
        let webhook = wire.registers(&["enrolment.created"]).await;
        (wire, webhook)
    }

    /// The receiver is told of these from now on.
    pub(crate) async fn registers(&self, events: &[&str]) -> WebhookWithSecret {
        self.registers_at(&format!("{}/hook", self.receiver.url()), events)
            .await
    }

    pub(crate) async fn registers_at(&self, url: &str, events: &[&str]) -> WebhookWithSecret {
        self.asks_for(url, events).await.expect(201).json()
    }

    pub(crate) async fn asks_for(&self, url: &str, events: &[&str]) -> Response {
        let request = self.admin.client.post("/webhooks");
        let request = request.bearer(&self.admin.token);
        request
            .json(&json!({"url": url, "events": events}))
            .send()
            .await
    }

    pub(crate) async fn patches(&self, id: WebhookId, patch: &Value) -> Response {
        let request = self.admin.client.patch(&format!("/webhooks/{id}"));
        request.bearer(&self.admin.token).json(patch).send().await
    }

    pub(crate) async fn webhook(&self, id: WebhookId) -> Webhook {
        let answer = self.admin.get(&format!("/webhooks/{id}")).await;
        answer.expect(200).json()
    }

    /// What was sent there, or is to be, newest first.
    pub(crate) async fn log(&self, id: WebhookId) -> Vec<WebhookDelivery> {
        let path = format!("/webhooks/{id}/deliveries?limit=1000");
        let page: Page<WebhookDelivery> = self.admin.get(&path).await.expect(200).json();
        page.items
    }

    /// The one message there is, once it stands so.
    pub(crate) async fn the_message(
        &self,
        id: WebhookId,
        what: &str,
        right: impl Fn(&WebhookDelivery) -> bool,
    ) -> WebhookDelivery {
        eventually(what, async || {
            let mut all = self.log(id).await;
            assert!(all.len() <= 1, "one message: {all:?}");
            all.pop().filter(|one| right(one))
        })
        .await
    }

    pub(crate) async fn stands(
        &self,
        id: WebhookId,
        state: DeliveryState,
        error: &str,
    ) -> WebhookDelivery {
        let right =
            |one: &WebhookDelivery| one.state == state && one.error.as_deref() == Some(error);
        self.the_message(id, &format!("{state}: {error}"), right)
            .await
    }

    /// The receiver, once so many messages have come.
    pub(crate) async fn arrive(&self, count: usize) -> Vec<Received> {
        self.receiver.wait_for_requests(count, PATIENCE).await
    }

    /// What waits for its next attempt need wait no longer.
    pub(crate) async fn hastens(&self) {
        let hasten = "UPDATE webhook_deliveries SET due_at = created_at WHERE state = 'queued'";
        self.writes(hasten).await;
    }

    pub(crate) async fn writes(&self, statement: &str) {
        let database = self.app.database().connect().await;
        database.execute_unprepared(statement).await.unwrap();
    }
}
