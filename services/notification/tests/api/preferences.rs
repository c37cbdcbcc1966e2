//! What people want letters of, and an end to them with one click.

use lyceum_contracts::delivery::DeliveryState;
use lyceum_contracts::preferences::{Digest, Preferences};
use lyceum_testing::http::Response;
use lyceum_testing::{PATIENCE, eventually};
use serde_json::{Value, json};

use crate::mail::office::{Office, announcement, reset};
use crate::platform::enrolment;

async fn put(office: &Office, user: i64, body: &Value) -> Response {
    let request = office.app.client().put("/preferences");
    request
        .bearer(office.tokens.student(user))
        .json(body)
        .send()
        .await
}

async fn preferences(office: &Office, user: i64) -> Preferences {
    let answer = office.person(user).get("/preferences").await;
    answer.expect(200).json()
}

/// The types somebody has no letters of.
async fn muted(office: &Office, user: i64) -> Vec<String> {
    let items = preferences(office, user).await.items.into_iter();
    items
        .filter(|item| !item.mail)
        .map(|item| item.r#type)
        .collect()
}

#[tokio::test]
async fn everything_is_on_until_somebody_chooses() {
    let office = Office::open();
    let before = preferences(&office, 1).await;
    assert_eq!(before.locale, None);
    assert!(before.items.iter().all(|item| item.mail));
    let mutable: Vec<_> = before.items.iter().filter(|item| item.mutable).collect();
    let types: Vec<_> = mutable.iter().map(|item| item.r#type.as_str()).collect();
    assert_eq!(types, ["enrolment.created", "announcement.posted"]);
    assert!(mutable.iter().all(|item| item.inbox));

    let choice = json!({
        "locale": "de",
        "digest": "daily",
        "quiet_from": "22:00",
        "quiet_until": "07:30",
        "utc_offset_minutes": -90,
        "items": [
            {"type": "enrolment.created", "mail": false, "inbox": true},
            {"type": "mailed_link.requested", "mail": true},
        ],
    });
    let after: Preferences = put(&office, 1, &choice).await.expect(200).json();
    assert_eq!(after, preferences(&office, 1).await);
    assert_eq!(after.locale.as_deref(), Some("de"));
    assert_eq!(after.digest, Digest::Daily);
    assert_eq!(after.quiet_from.as_deref(), Some("22:00"));
    assert_eq!(after.quiet_until.as_deref(), Some("07:30"));
    assert_eq!(after.utc_offset_minutes, -90);
    assert_eq!(muted(&office, 1).await, ["enrolment.created"]);
    assert_eq!(
        preferences(&office, 2).await,
        before,
        "another's are untouched"
    );
    put(&office, 1, &json!({"items": []})).await.expect(200);
    assert_eq!(
        preferences(&office, 1).await,
        before,
        "the whole of it is replaced"
    );
}

#[tokio::test]
async fn a_choice_that_cannot_be_names_its_fault() {
    let office = Office::open();
    for (body, pointer, code) in [
        (
            json!({"items": [{"type": "mailed_link.requested", "mail": false}]}),
            "#/items/0/mail",
            "cannot_be_muted",
        ),
        (
            json!({"items": [{"type": "user.registered", "mail": false}]}),
            "#/items/0/mail",
            "cannot_be_muted",
        ),
        (
            json!({"items": [{"type": "enrolment.created", "mail": true, "inbox": false}]}),
            "#/items/0/inbox",
            "always_on",
        ),
        (
            json!({"items": [{"type": "birthday", "mail": true}]}),
            "#/items/0/type",
            "unknown_type",
        ),
        (
            json!({"items": [
                {"type": "enrolment.created", "mail": true},
                {"type": "enrolment.created", "mail": false},
            ]}),
            "#/items",
            "repeated",
        ),
        (
            json!({"locale": "fr", "items": []}),
            "#/locale",
            "unknown_locale",
        ),
        (json!({"locale": "de"}), "#/items", "required"),
        (
            json!({"digest": "weekly", "items": []}),
            "#/digest",
            "unknown_digest",
        ),
        (
            json!({"quiet_from": "24:00", "quiet_until": "07:00", "items": []}),
            "#/quiet_from",
            "malformed_time",
        ),
        (
            json!({"quiet_from": "22:00", "items": []}),
            "#/quiet_until",
            "both_or_none",
        ),
        (
            json!({"quiet_from": "22:00", "quiet_until": "22:00", "items": []}),
            "#/quiet_until",
            "both_or_none",
        ),
        (
            json!({"utc_offset_minutes": 841, "items": []}),
            "#/utc_offset_minutes",
            "out_of_range",
        ),
    ] {
        let problem = put(&office, 1, &body).await.expect(422).problem();
        let fault = &problem.errors[0];
        assert_eq!(
            (fault.pointer.as_str(), fault.code.as_str()),
            (pointer, code)
        );
    }
    assert_eq!(muted(&office, 1).await, [""; 0]);
}

#[tokio::test]
async fn what_is_turned_off_is_not_mailed_and_what_is_vital_is_in_the_chosen_language() {
    let office = Office::open();
    let choice = json!({
        "locale": "de",
        "items": [{"type": "announcement.posted", "mail": false}],
    });
    put(&office, 1, &choice).await.expect(200);
    let events = [
        announcement(1, "News", "One"),
        reset(1, 5),
        enrolment(1, "Logik"),
    ];
    office.happens(&events).await;
    let taken = office.server.wait_for(2, PATIENCE).await;
    let mut subjects: Vec<_> = taken
        .iter()
        .map(|one| one.header("Subject").unwrap())
        .collect();
    subjects.sort();
    assert_eq!(subjects[1], "Sie sind angemeldet: Logik");
    assert!(taken.iter().any(|one| one.letter.contains("Guten Tag")));
    let admin = office.admin();
    let unsent = eventually("one cancelled", async || {
        admin.deliveries(Some(DeliveryState::Cancelled)).await.pop()
    })
    .await;
    assert_eq!(unsent.template, "announcement");
    assert_eq!(unsent.error.as_deref(), Some("muted"));
    // The inbox has it all the same.
    assert_eq!(office.person(1).unread().await, 2);
}

#[tokio::test]
async fn one_click_ends_letters_of_one_kind_without_signing_in() {
    let office = Office::open();
    office.happens(&[announcement(1, "News", "One")]).await;
    let taken = office.server.wait_for(1, PATIENCE).await;
    let header = taken[0].header("List-Unsubscribe").unwrap();
    let url = header.trim_matches(['<', '>']);
    let path = url
        .strip_prefix("https://api.lyceum.test")
        .unwrap()
        .to_owned();
    let client = office.app.client();

    // What looks at mail follows its links.
    let page = client.get(&path).send().await.expect(200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(
        page.text().contains("<form method=\"post\">"),
        "{}",
        page.text()
    );
    assert_eq!(muted(&office, 1).await, [""; 0]);

    for _ in 0..2 {
        let click = client.post(&path);
        let form = "application/x-www-form-urlencoded";
        let click = click.body("List-Unsubscribe=One-Click", form);
        click.send().await.expect(200);
        assert_eq!(muted(&office, 1).await, ["announcement.posted"]);
    }
    let stranger = path.replace(|c: char| c.is_ascii_digit(), "0");
    client.post(&stranger).send().await.expect(200);
    for broken in [
        "/unsubscribe",
        "/unsubscribe?token=x",
        &path[..path.len() - 1],
    ] {
        let problem = client.post(broken).send().await.expect(422).problem();
        assert_eq!(problem.errors[0].pointer, "?token");
    }

    office
        .happens(&[announcement(1, "More", "Two"), enrolment(1, "Logic")])
        .await;
    let taken = office.server.wait_for(2, PATIENCE).await;
    assert_eq!(
        taken[1].header("Subject").unwrap(),
        "You are enrolled in Logic"
    );
}

#[tokio::test]
async fn nothing_of_what_was_chosen_outlives_its_person() {
    let office = Office::open();
    put(
        &office,
        1,
        &json!({"locale": "de", "items": [{"type": "enrolment.created", "mail": false}]}),
    )
    .await
    .expect(200);
    let erased = crate::platform::event("user.deleted", &json!({"user_id": 1}));
    office.happens(&[erased]).await;
    assert_eq!(preferences(&office, 1).await, preferences(&office, 2).await);
}
