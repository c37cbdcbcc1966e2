//! Receivers that say no, not now, or nothing.

use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::webhook::{DisabledBecause, WebhookDelivery};
use lyceum_notification::settings::WebhooksSettings;
use lyceum_testing::http::Client;
use lyceum_testing::peer::{Answer, DownPeer, Gate};
use lyceum_testing::process::Process;
use lyceum_testing::{PATIENCE, eventually};
use serde_json::json;

use super::wire::{HOOK, Wire};
use crate::platform::enrolment;

fn sent(message: &WebhookDelivery) -> bool {
    message.state == DeliveryState::Sent
}

#[tokio::test]
async fn what_is_not_accepted_waits_and_comes_again_as_the_same_message() {
    let never = Gate::closed();
    for (first, word, status) in [
        (Answer::status(500), "http_500", Some(500)),
        (Answer::status(404), "http_404", Some(404)),
        (Answer::reset(), "connection_lost", None),
        (Answer::close(), "connection_lost", None),
        (Answer::garbage("SMTP?\r\n\r\n"), "connection_lost", None),
        (Answer::status(200).held_by(&never), "timeout", None),
    ] {
        let hurried = |webhooks: &mut WebhooksSettings| {
            if word == "timeout" {
                webhooks.timeout_ms = 300;
            }
        };
        let wire = Wire::with(hurried);
        wire.receiver
            .on(HOOK)
            .then(first)
            .always(Answer::status(200));
        let id = wire.registers(&["enrolment.created"]).await.webhook.id;
        wire.happens(&[enrolment(1, "Logic")]).await;
        let waits = wire.stands(id, DeliveryState::Queued, word).await;
        assert_eq!((waits.attempts, waits.status_code), (1, status), "{word}");
        let pause = (waits.due_at.unwrap() - waits.updated_at).as_seconds_f64();
        assert!((3.9..6.1).contains(&pause), "{word}: {pause}");
        assert!(wire.webhook(id).await.failing_since.is_some());
        wire.hastens().await;
        wire.the_message(id, "sent", sent).await;
        let came = wire.arrive(2).await;
        assert_eq!(came[0].header("webhook-id"), came[1].header("webhook-id"));
        assert_eq!(came[0].body, came[1].body);
        assert_eq!(wire.webhook(id).await.failing_since, None, "{word}");
    }
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_disabled_at_once_and_what_waits_is_cancelled() {
    let wire = Wire::with(|webhooks| webhooks.per_target = 1);
    let gate = Gate::closed();
    wire.receiver
        .on(HOOK)
        .then(Answer::status(410).held_by(&gate))
        .always(Answer::status(200));
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    wire.happens(&[enrolment(1, "Logic"), enrolment(2, "Logic")])
        .await;
    wire.arrive(1).await;
    gate.open();
    let log = eventually("both ended", async || {
        let log = wire.log(id).await;
        log.iter().all(|one| one.due_at.is_none()).then_some(log)
    })
    .await;
    let ends: Vec<_> = log
        .iter()
        .map(|one| (one.state, one.error.as_deref().unwrap()))
        .collect();
    assert_eq!(
        ends,
        [
            (DeliveryState::Cancelled, "disabled"),
            (DeliveryState::Dead, "http_410")
        ]
    );
    let webhook = wire.webhook(id).await;
    assert_eq!(
        (webhook.enabled, webhook.disabled_because),
        (false, Some(DisabledBecause::Gone))
    );
    wire.happens(&[enrolment(3, "Logic")]).await;
    assert_eq!(wire.log(id).await.len(), 2, "nothing more is written down");
    let enabled = wire.patches(id, &json!({"enabled": true})).await;
    enabled.expect(200);
    wire.happens(&[enrolment(4, "Logic")]).await;
    assert_eq!(wire.arrive(2).await.len(), 2);
}

#[tokio::test]
async fn a_receiver_where_everything_has_failed_for_days_is_disabled() {
    let wire = Wire::start();
    wire.receiver.on(HOOK).always(Answer::status(500));
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    wire.happens(&[enrolment(1, "Logic")]).await;
    wire.stands(id, DeliveryState::Queued, "http_500").await;
    assert!(wire.webhook(id).await.enabled);
    let days_ago = "UPDATE webhooks SET failing_since = '2020-01-01T00:00:00.000000Z'";
    wire.writes(days_ago).await;
    wire.hastens().await;
    wire.stands(id, DeliveryState::Cancelled, "disabled").await;
    let webhook = wire.webhook(id).await;
    assert_eq!(webhook.disabled_because, Some(DisabledBecause::Failing));
    let enabled = wire
        .patches(id, &json!({"enabled": true}))
        .await
        .expect(200);
    let enabled = enabled.json::<lyceum_contracts::webhook::Webhook>();
    assert_eq!((enabled.enabled, enabled.failing_since), (true, None));
}

/// What a process that is started now tells operators.
async fn disabled(wire: &Wire) -> String {
    let process = Process::service(env!("CARGO_BIN_EXE_lyceum-notification"))
        .setting("database.url", wire.app.database().url())
        .setting("upstreams.user.base_url", wire.users.url())
        .setting("mail.run", false)
        .start();
    let operations = Client::new(process.ports(PATIENCE).await.operations_url());
    eventually("counted", async || {
        let metrics = operations.get("/metrics").send().await.expect(200).text();
        let mut lines = metrics.lines();
        let line = lines.find(|line| line.starts_with("lyceum_webhooks_disabled{"))?;
        line.rsplit(' ').next().map(str::to_owned)
    })
    .await
}

#[tokio::test]
async fn operators_read_of_a_webhook_that_was_disabled_until_it_is_enabled() {
    let wire = Wire::start();
    wire.receiver.on(HOOK).always(Answer::status(410));
    let unwanted = wire.registers(&["enrolment.created"]).await.webhook.id;
    let by_admin = wire.patches(unwanted, &json!({"enabled": false})).await;
    by_admin.expect(200);
    let gone = wire.registers(&["enrolment.created"]).await.webhook.id;
    assert_eq!(disabled(&wire).await, "0");
    wire.happens(&[enrolment(1, "Logic")]).await;
    wire.stands(gone, DeliveryState::Dead, "http_410").await;
    assert_eq!(disabled(&wire).await, "1");
    let enabled = wire.patches(gone, &json!({"enabled": true})).await;
    enabled.expect(200);
    assert_eq!(disabled(&wire).await, "0");
}

#[tokio::test]
async fn a_message_that_fails_eight_times_is_dead_and_listed() {
    let wire = Wire::start();
    wire.receiver.on(HOOK).always(Answer::status(400));
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    wire.happens(&[enrolment(1, "Logic")]).await;
    for attempts in 1..=7 {
        let tried =
            |one: &WebhookDelivery| one.attempts == attempts && one.state == DeliveryState::Queued;
        wire.the_message(id, "tried once more", tried).await;
        wire.hastens().await;
    }
    let dead = wire.stands(id, DeliveryState::Dead, "http_400").await;
    assert_eq!((dead.attempts, dead.due_at), (8, None));
    let path = format!("/webhooks/{id}/deliveries?state=dead");
    let listed = wire.admin.get(&path).await.expect(200).text();
    assert!(listed.contains(&dead.message_id), "{listed}");
    assert!(wire.webhook(id).await.enabled, "one message, not days");
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_is_given_it() {
    let wire = Wire::start();
    let busy = Answer::status(429).header("retry-after", "600");
    wire.receiver.on(HOOK).always(busy);
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    wire.happens(&[enrolment(1, "Logic")]).await;
    let waits = wire.stands(id, DeliveryState::Queued, "http_429").await;
    let pause = waits.due_at.unwrap() - waits.updated_at;
    assert_eq!(pause.whole_seconds(), 600);
}

#[tokio::test]
async fn a_host_that_is_away_is_left_alone_and_costs_most_messages_no_attempt() {
    let wire = Wire::start();
    let down = DownPeer::hold();
    let url = format!("{}/hook", down.url());
    let id = wire
        .registers_at(&url, &["enrolment.created"])
        .await
        .webhook
        .id;
    let events: Vec<_> = (1..=40).map(|user| enrolment(user, "Logic")).collect();
    wire.happens(&events).await;
    eventually("some tried", async || {
        let log = wire.log(id).await;
        (log.iter().filter(|one| one.attempts > 0).count() >= 5).then_some(())
    })
    .await;
    let log = wire.log(id).await;
    let tried: Vec<_> = log.iter().filter(|one| one.attempts > 0).collect();
    assert!(tried.len() < 20, "{} were tried", tried.len());
    for message in tried {
        assert_eq!(message.error.as_deref(), Some("unreachable"));
    }
    // Up again, it is found by those that were not tried.
    let peer = down.come_up();
    peer.on(HOOK).always(Answer::status(200));
    peer.wait_for_requests(3, PATIENCE).await;
}
