//! Where messages must not go: into the network, or wherever a redirect points.

use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::webhook::WebhookDelivery;
use lyceum_testing::peer::{Answer, ScriptedPeer};

use super::wire::{HOOK, Wire};
use crate::platform::enrolment;

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_however_it_is_written() {
    let wire = Wire::with(|webhooks| webhooks.allow_private = false);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "10.0.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
    ] {
        let url = format!("https://{host}/hook");
        let problem = wire.asks_for(&url, &["user.updated"]).await.expect(422);
        let problem = problem.problem();
        let fault = &problem.errors[0];
        let named = (fault.pointer.as_str(), fault.code.as_str());
        assert_eq!(named, ("#/url", "private_address"), "{url}");
    }
    let plain = wire.asks_for("http://example.org/", &["user.updated"]);
    let problem = plain.await.expect(422).problem();
    assert_eq!(problem.errors[0].code, "unsupported_scheme");
    let id = wire
        .registers_at("https://example.org/", &["user.updated"])
        .await
        .webhook
        .id;
    let moved = serde_json::json!({"url": "https://127.0.0.1/"});
    wire.patches(id, &moved).await.expect(422);
}

#[tokio::test]
async fn a_name_that_leads_into_the_machine_is_refused_when_it_is_looked_up() {
    let wire = Wire::with(|webhooks| webhooks.allow_private = false);
    let port = wire.receiver.url().rsplit(':').next().unwrap().to_owned();
    let url = format!("https://localhost:{port}/hook");
    let id = wire
        .registers_at(&url, &["enrolment.created"])
        .await
        .webhook
        .id;
    wire.happens(&[enrolment(1, "Logic")]).await;
    let dead = wire
        .stands(id, DeliveryState::Dead, "private_address")
        .await;
    assert_eq!((dead.attempts, dead.status_code), (1, None));
    assert_eq!(wire.receiver.connections(), 0, "nobody has connected");
}

#[tokio::test]
async fn an_address_that_was_allowed_once_is_not_sent_to_any_more() {
    // Registered when the setting allowed it, and what is registered stays.
    let wire = Wire::with(|webhooks| webhooks.run = false);
    let hosts = [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
    ];
    let port = wire.receiver.url().rsplit(':').next().unwrap().to_owned();
    let mut ids = Vec::new();
    for host in hosts {
        let url = format!("https://{host}:{port}/hook");
        ids.push(
            wire.registers_at(&url, &["enrolment.created"])
                .await
                .webhook
                .id,
        );
    }
    wire.happens(&[enrolment(1, "Logic")]).await;
    let _replica = wire.replica_with_all(|settings| {
        let webhooks = &mut settings.service.webhooks;
        (webhooks.run, webhooks.poll_ms) = (true, 50);
    });
    for id in ids {
        wire.stands(id, DeliveryState::Dead, "private_address")
            .await;
    }
    assert_eq!(wire.receiver.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_nobody_goes_there() {
    let elsewhere = ScriptedPeer::start();
    let wire = Wire::start();
    let there = format!("{}/secret", elsewhere.url());
    wire.receiver
        .on(HOOK)
        .then(Answer::status(302).header("location", &there))
        .then(Answer::status(307).header("location", &there))
        .always(Answer::status(200));
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    wire.happens(&[enrolment(1, "Logic")]).await;
    wire.stands(id, DeliveryState::Queued, "http_302").await;
    wire.hastens().await;
    wire.stands(id, DeliveryState::Queued, "http_307").await;
    wire.hastens().await;
    let sent = |one: &WebhookDelivery| one.state == DeliveryState::Sent;
    wire.the_message(id, "sent", sent).await;
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_body_without_end_costs_no_more_than_its_beginning() {
    let wire = Wire::start();
    let never = lyceum_testing::peer::Gate::closed();
    let long = "x".repeat(1024 * 1024);
    wire.receiver
        .on(HOOK)
        .then(Answer::text(200, &long))
        .always(Answer::text(200, "never whole").body_held_by(&never));
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    wire.happens(&[enrolment(1, "Logic"), enrolment(2, "Logic")])
        .await;
    lyceum_testing::eventually("both accepted", async || {
        let log = wire.log(id).await;
        log.iter()
            .all(|one| one.state == DeliveryState::Sent)
            .then_some(())
    })
    .await;
}
