//! Who is told of what: receivers, registered and changed.

use lyceum_contracts::page::Page;
use lyceum_contracts::webhook::{DisabledBecause, EventKind, Webhook, WebhookWithSecret};
use lyceum_testing::peer::Answer;
use serde_json::{Value, json};

use super::wire::{HOOK, Wire};
use crate::platform::{enrolment, registration};

#[tokio::test]
async fn a_secret_is_shown_once_and_the_rest_whenever_it_is_asked_for() {
    let wire = Wire::start();
    let answer = wire
        .asks_for(
            "https://Example.org/hook?key=1",
            &["user.registered", "user.deleted"],
        )
        .await
        .expect(201);
    let place = answer.header("location").unwrap().to_owned();
    let made: WebhookWithSecret = answer.json();
    assert_eq!(place, format!("/webhooks/{}", made.webhook.id));
    assert_eq!(made.webhook.url, "https://example.org/hook?key=1");
    assert_eq!(
        made.webhook.events,
        [EventKind::UserRegistered, EventKind::UserDeleted]
    );
    assert!(made.webhook.enabled);
    let other = wire.registers(&["user.updated"]).await;
    assert_ne!(made.secret, other.secret);

    let shown = wire.admin.get(&place).await.expect(200);
    let listed = wire.admin.get("/webhooks").await.expect(200);
    for text in [shown.text(), listed.text()] {
        assert!(
            !text.contains("whsec_") && !text.contains("\"secret\""),
            "{text}"
        );
    }
    assert_eq!(shown.json::<Webhook>(), made.webhook);
    let page: Page<Webhook> = listed.json();
    assert_eq!(page.items, [other.webhook, made.webhook], "newest first");
}

#[tokio::test]
async fn receivers_are_listed_page_by_page() {
    let wire = Wire::start();
    for _ in 0..3 {
        wire.registers(&["user.updated"]).await;
    }
    let page: Page<Webhook> = wire.admin.get("/webhooks?limit=2").await.expect(200).json();
    assert_eq!(page.items.len(), 2);
    let path = format!("/webhooks?limit=2&cursor={}", page.next_cursor.unwrap());
    let rest: Page<Webhook> = wire.admin.get(&path).await.expect(200).json();
    assert_eq!((rest.items.len(), rest.next_cursor), (1, None));
    assert!(rest.items[0].id < page.items[1].id);
}

#[tokio::test]
async fn what_cannot_be_a_receiver_is_told_so_with_every_fault() {
    let wire = Wire::start();
    let cases: [(Value, &[(&str, &str)]); 8] = [
        (
            json!({}),
            &[("#/url", "required"), ("#/events", "required")],
        ),
        (
            json!({"url": "hook", "events": []}),
            &[("#/url", "malformed_url"), ("#/events", "too_few")],
        ),
        (
            json!({"url": "ftp://example.org/", "events": ["user.born"]}),
            &[
                ("#/url", "unsupported_scheme"),
                ("#/events", "unknown_event"),
            ],
        ),
        (
            json!({"url": "https://a:b@example.org/", "events": ["user.updated", "user.updated"]}),
            &[("#/url", "not_allowed_in_url"), ("#/events", "repeated")],
        ),
        (
            json!({"url": "https://example.org/#x", "events": ["mailed_link.requested"]}),
            &[
                ("#/url", "not_allowed_in_url"),
                ("#/events", "unknown_event"),
            ],
        ),
        (
            json!({"url": format!("https://example.org/{}", "x".repeat(2000)), "events": "all"}),
            &[("#/url", "too_long"), ("#/events", "wrong_type")],
        ),
        (
            json!({"url": 7, "events": [7]}),
            &[("#/url", "wrong_type"), ("#/events", "wrong_type")],
        ),
        (
            json!({"url": "https://example.org/", "events": ["user.updated"], "secret": "whsec_mine"}),
            &[("#/secret", "unknown_field")],
        ),
    ];
    for (body, faults) in cases {
        let request = wire.admin.client.post("/webhooks");
        let answer = request.bearer(&wire.admin.token).json(&body).send().await;
        let problem = answer.expect(422).problem();
        let named: Vec<_> = problem
            .errors
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        assert_eq!(named, faults, "{body}");
    }
}

#[tokio::test]
async fn there_are_no_more_receivers_than_there_may_be() {
    let wire = Wire::with(|webhooks| webhooks.most = 1);
    let first = wire.registers(&["user.updated"]).await;
    wire.asks_for("https://example.org/", &["user.updated"])
        .await
        .expect(409);
    let path = format!("/webhooks/{}", first.webhook.id);
    let request = wire.admin.client.delete(&path).bearer(&wire.admin.token);
    request.clone().send().await.expect(204);
    request.send().await.expect(404);
    wire.registers(&["user.updated"]).await;
}

#[tokio::test]
async fn a_receiver_is_told_of_what_it_wants_and_of_no_more_when_it_is_forgotten() {
    let wire = Wire::start();
    wire.receiver.on(HOOK).always(Answer::status(200));
    let webhook = wire.registers(&["enrolment.created"]).await.webhook;
    wire.happens(&[registration(1), enrolment(1, "Logic")])
        .await;
    let came = wire.arrive(1).await;
    assert_eq!(came[0].json::<Value>()["data"]["course_title"], "Logic");

    let patched = wire
        .patches(webhook.id, &json!({"events": ["user.registered"]}))
        .await;
    let patched: Webhook = patched.expect(200).json();
    assert_eq!(patched.events, [EventKind::UserRegistered]);
    wire.happens(&[enrolment(1, "Sets"), registration(2)]).await;
    let came = wire.arrive(2).await;
    assert_eq!(came[1].json::<Value>()["type"], "user.registered");

    let path = format!("/webhooks/{}", webhook.id);
    let forget = wire.admin.client.delete(&path).bearer(&wire.admin.token);
    forget.send().await.expect(204);
    wire.admin.get(&path).await.expect(404);
    wire.admin
        .get(&format!("{path}/deliveries"))
        .await
        .expect(404);
    // Nobody is told of it: the next that is told of anything hears of what came after.
    wire.happens(&[registration(3)]).await;
    wire.registers(&["user.registered"]).await;
    wire.happens(&[registration(4)]).await;
    let came = wire.arrive(3).await;
    assert_eq!(came[2].json::<Value>()["data"]["user_id"], 4);
}

#[tokio::test]
async fn one_that_is_disabled_by_hand_is_told_nothing_until_it_is_enabled() {
    let wire = Wire::start();
    wire.receiver.on(HOOK).always(Answer::status(200));
    let id = wire.registers(&["enrolment.created"]).await.webhook.id;
    let disabled = wire.patches(id, &json!({"enabled": false})).await;
    let disabled: Webhook = disabled.expect(200).json();
    assert_eq!(
        (disabled.enabled, disabled.disabled_because),
        (false, Some(DisabledBecause::Admin))
    );
    wire.happens(&[enrolment(1, "Logic")]).await;
    assert_eq!(wire.log(id).await, []);
    let enabled = wire.patches(id, &json!({"enabled": true})).await;
    assert!(enabled.expect(200).json::<Webhook>().enabled);
    wire.happens(&[enrolment(1, "Sets")]).await;
    let came = wire.arrive(1).await;
    assert_eq!(came[0].json::<Value>()["data"]["course_title"], "Sets");
    for (patch, code) in [
        (json!({"enabled": null}), "not_nullable"),
        (json!({"enabled": "yes"}), "wrong_type"),
        (json!({"url": "http://"}), "malformed_url"),
        (json!({"events": []}), "too_few"),
    ] {
        let problem = wire.patches(id, &patch).await.expect(422).problem();
        assert_eq!(problem.errors[0].code, code, "{patch}");
    }
    wire.patches(id, &json!({})).await.expect(200);
}
