//! A real process that is killed between sending a message and writing that down.

use lyceum_chassis::settings::DEVELOPMENT_SERVICE_SECRET;
use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::page::Page;
use lyceum_contracts::webhook::{WebhookDelivery, WebhookWithSecret};
use lyceum_testing::database::TestDatabase;
use lyceum_testing::http::Client;
use lyceum_testing::identity::{TestUsers, service_token};
use lyceum_testing::peer::{Answer, Gate, ScriptedPeer};
use lyceum_testing::process::Process;
use lyceum_testing::{PATIENCE, eventually};
use serde_json::json;

use super::wire::HOOK;
use crate::platform::{EVENTS, enrolment};

#[tokio::test]
async fn a_message_comes_again_as_the_same_one_when_the_process_was_killed_meanwhile() {
    let (tokens, database) = (TestUsers::new(), TestDatabase::create());
    let users = tokens.serve();
    let start = || {
        Process::service(env!("CARGO_BIN_EXE_lyceum-notification"))
            .setting("database.url", database.url())
            .setting("database.min_connections", 0)
            .setting("upstreams.user.base_url", users.url())
            .setting("mail.run", false)
            .setting("webhooks.allow_private", true)
            .setting("webhooks.poll_ms", 50)
            // What was claimed by a process that is gone is due again soon.
            .setting("webhooks.timeout_ms", 3_000)
            .setting("webhooks.lease_ms", 3_000)
            .start()
    };
    let receiver = ScriptedPeer::start();
    let never = Gate::closed();
    receiver
        .on(HOOK)
        .then(Answer::status(200).held_by(&never))
        .always(Answer::status(200));

    let mut process = start();
    let client = Client::new(process.ports(PATIENCE).await.api_url());
    let admin = tokens.admin(500);
    let url = format!("{}/hook", receiver.url());
    let register = client.post("/webhooks").bearer(&admin);
    let register = register.json(&json!({"url": url, "events": ["enrolment.created"]}));
    let webhook: WebhookWithSecret = register.send().await.expect(201).json();
    let service = service_token("course", "notification", DEVELOPMENT_SERVICE_SECRET);
    let happens = client.post(EVENTS).bearer(service);
    let happens = happens.json(&json!({"events": [enrolment(1, "Logic")]}));
    happens.send().await.expect(200);
    receiver.wait_for_requests(1, PATIENCE).await;
    process.kill9().await;

    let process = start();
    let client = Client::new(process.ports(PATIENCE).await.api_url());
    let came = receiver.wait_for_requests(2, PATIENCE).await;
    assert_eq!(came[0].header("webhook-id"), came[1].header("webhook-id"));
    assert_eq!(came[0].body, came[1].body);
    let path = format!("/webhooks/{}/deliveries", webhook.webhook.id);
    let sent = eventually("sent", async || {
        let log = client.get(&path).bearer(&admin).send().await.expect(200);
        let mut log = log.json::<Page<WebhookDelivery>>().items;
        log.pop().filter(|one| one.state == DeliveryState::Sent)
    })
    .await;
    assert_eq!(
        sent.attempts, 1,
        "the claim that ended without a word counts"
    );
    let logged = process.log();
    let said = serde_json::to_string(&logged).unwrap();
    for secret in ["whsec_", "/hook", "Logic"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}
