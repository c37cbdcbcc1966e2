//! What is written, to whom, and how it leaves.

use std::time::Duration;

use lyceum_contracts::delivery::DeliveryState;
use lyceum_notification::settings::TransportKind;
use lyceum_testing::peer::Answer;
use lyceum_testing::smtp::Manners;
use lyceum_testing::{PATIENCE, eventually};
use sea_orm::{ConnectionTrait, Statement};

use super::office::{NOBODY, Office, SPENT, announcement, reset};
use crate::platform::{enrolment, event, registration};

#[tokio::test]
async fn a_registration_is_answered_by_a_letter_as_text_and_as_a_page() {
    let office = Office::open();
    office.happens(&[registration(7)]).await;
    let taken = office.server.wait_for(1, PATIENCE).await;
    let letter = &taken[0];
    assert_eq!(letter.recipient, "user7@example.org");
    assert_eq!(letter.header("Subject").unwrap(), "Welcome to Lyceum");
    assert_eq!(
        letter.header("From").unwrap(),
        "Lyceum <no-reply@lyceum.test>"
    );
    assert!(
        letter
            .header("To")
            .unwrap()
            .ends_with("<user7@example.org>")
    );
    assert_eq!(letter.header("Auto-Submitted").unwrap(), "auto-generated");
    assert_eq!(letter.header("List-Unsubscribe"), None, "it comes once");
    for kind in ["text/plain; charset=utf-8", "text/html; charset=utf-8"] {
        assert!(letter.letter.contains(kind), "{}", letter.letter);
    }
    let sent = office
        .admin()
        .the_letter("sent", |one| one.state == DeliveryState::Sent)
        .await;
    assert_eq!(sent.message_id, letter.message_id());
    assert_eq!(
        (sent.user_id.get(), sent.attempts, sent.error),
        (7, 0, None)
    );
    assert!(sent.message_id.ends_with("@lyceum.test>"));
}

#[tokio::test]
async fn what_stands_in_the_inbox_is_told_by_letter_too_and_as_often() {
    let office = Office::open();
    let news = announcement(2, "News & more", "<b>One</b>\nTwo");
    office
        .happens(&[enrolment(1, "Logic"), news.clone(), news])
        .await;
    let mut taken = office.server.wait_for(2, PATIENCE).await;
    taken.sort_by_key(|letter| letter.recipient.clone());
    assert_eq!(
        taken[0].header("Subject").unwrap(),
        "You are enrolled in Logic"
    );
    assert!(taken[0].letter.contains("https://lyceum.test/courses/3"));
    assert_eq!(taken[1].header("Subject").unwrap(), "News & more");
    assert!(
        taken[1].letter.contains("&lt;b&gt;One"),
        "{}",
        taken[1].letter
    );
    for letter in &taken {
        let unsubscribe = letter.header("List-Unsubscribe").unwrap();
        assert!(unsubscribe.starts_with("<https://api.lyceum.test/unsubscribe?token="));
        let post = letter.header("List-Unsubscribe-Post").unwrap();
        assert_eq!(post, "List-Unsubscribe=One-Click");
    }
    assert_eq!(office.admin().deliveries(None).await.len(), 2);
}

#[tokio::test]
async fn a_link_is_mailed_with_a_token_that_is_nowhere_else() {
    let office = Office::open();
    office.happens(&[reset(1, 5)]).await;
    let taken = office.server.wait_for(1, PATIENCE).await;
    // Where the link goes, the user service says.
    assert_eq!(taken[0].recipient, "link5@example.org");
    assert!(
        taken[0]
            .body()
            .contains("https://lyceum.test/reset-password#token=secret-of-5")
    );
    assert!(taken[0].letter.contains("2026-01-02 03:04 UTC"));
    assert_eq!(taken[0].header("List-Unsubscribe"), None);
    office
        .admin()
        .the_letter("sent", |one| one.state == DeliveryState::Sent)
        .await;

    let database = office.app.database().connect().await;
    let sql = "SELECT CAST(input AS TEXT) || message_id || COALESCE(error, '') FROM mails";
    let query = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(query).await.unwrap().unwrap();
    let kept: String = row.try_get_by_index(0).unwrap();
    for personal in ["secret", "example.org", "Ada"] {
        assert!(!kept.contains(personal), "{personal} in {kept}");
        // Every test of this process writes to the log; nobody else is sent this secret.
        if personal == "secret" {
            let lines = office.app.captured().lines();
            assert!(!lines.iter().any(|line| line.contains("secret-of-5")));
        }
    }
}

#[tokio::test]
async fn what_nobody_wants_is_not_sent() {
    for (event, reason) in [
        (reset(1, SPENT), "link_spent"),
        (registration(NOBODY), "no_such_person"),
        (enrolment(NOBODY, "Logic"), "no_such_person"),
    ] {
        let office = Office::open();
        office.happens(&[event]).await;
        office.admin().ended(DeliveryState::Cancelled, reason).await;
        assert_eq!(office.server.attempts(), 0);
    }
}

#[tokio::test]
async fn nothing_is_left_of_the_letters_to_who_is_erased_and_none_is_written_later() {
    let office = Office::with(|_| Manners::Accept, |mail| mail.run = false);
    let erased = event("user.deleted", &serde_json::json!({"user_id": 1}));
    office
        .happens(&[registration(1), enrolment(1, "Logic"), registration(2)])
        .await;
    assert_eq!(office.admin().deliveries(None).await.len(), 3);
    office.happens(&[erased]).await;
    // What the other services told before they heard of it.
    office
        .happens(&[registration(1), enrolment(1, "Sets"), reset(1, 5)])
        .await;
    let left = office.admin().deliveries(None).await;
    let people: Vec<_> = left.iter().map(|one| one.user_id.get()).collect();
    assert_eq!(people, [2]);
}

#[tokio::test]
async fn letters_wait_for_the_user_service_and_no_attempt_is_counted() {
    let office = Office::open();
    let route = "POST /internal/users/lookup";
    let contact = serde_json::json!({
        "id": 7, "email": "user7@example.org", "full_name": "Ada", "role": "student",
    });
    let known = Answer::json(200, &serde_json::json!({ "items": [contact] }));
    office.users.on(route).always(Answer::status(500));
    office.happens(&[registration(7)]).await;
    eventually("asked in vain", async || {
        let asked = office.users.requests();
        asked
            .iter()
            .any(|one| one.path == "/internal/users/lookup")
            .then_some(())
    })
    .await;
    office.users.on(route).always(known);
    office.server.wait_for(1, PATIENCE).await;
    let sent = office
        .admin()
        .the_letter("sent", |one| one.state == DeliveryState::Sent)
        .await;
    assert_eq!(sent.attempts, 0);
}

#[tokio::test]
async fn no_more_than_five_letters_are_on_their_way_at_once() {
    let office = Office::with(|_| Manners::Delay(Duration::from_millis(20)), |_| {});
    let events: Vec<_> = (1..=60).map(registration).collect();
    office.happens(&events).await;
    office.server.wait_for(60, PATIENCE).await;
    assert_eq!(office.server.most_at_once(), 5, "five, and not one by one");
}

#[tokio::test]
async fn without_a_mail_server_a_letter_is_a_file_that_is_whole() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("data").join("mail");
    let office = Office::with(
        |_| Manners::Accept,
        |mail| {
            mail.transport = TransportKind::Files;
            mail.folder.clone_from(&path);
        },
    );
    office.happens(&[registration(7), registration(8)]).await;
    let admin = office.admin();
    eventually("both sent", async || {
        let sent = admin.deliveries(Some(DeliveryState::Sent)).await;
        (sent.len() == 2).then_some(())
    })
    .await;
    let mut files: Vec<_> = std::fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut recipients = Vec::new();
    for file in &files {
        assert_eq!(file.extension().unwrap(), "eml", "{file:?}");
        let letter = std::fs::read_to_string(file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(letter.contains(&format!("Message-ID: <{name}@lyceum.test>")));
        let at = letter.find("@example.org>").unwrap();
        recipients.push(letter[at - 5..at].to_owned());
    }
    assert_eq!(recipients, ["user7", "user8"]);
    assert_eq!(office.server.attempts(), 0);
}
