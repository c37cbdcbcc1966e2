//! What admins see of letters, and do to them.

use lyceum_contracts::delivery::{Delivery, DeliveryState, LetterPreview};
use lyceum_contracts::page::Page;
use lyceum_testing::PATIENCE;
use lyceum_testing::smtp::Manners;

use super::office::Office;
use crate::platform::registration;

#[tokio::test]
async fn letters_are_listed_by_state_newest_first_and_page_by_page() {
    let office = Office::with(|_| Manners::Accept, |mail| mail.run = false);
    let events: Vec<_> = (1..=5).map(registration).collect();
    office.happens(&events).await;
    let admin = office.admin();
    let page: Page<Delivery> = admin.get("/deliveries?limit=3").await.expect(200).json();
    let cursor = page.next_cursor.unwrap();
    let rest = admin
        .get(&format!("/deliveries?limit=3&cursor={cursor}"))
        .await;
    let rest: Page<Delivery> = rest.expect(200).json();
    assert_eq!(rest.next_cursor, None);
    let all: Vec<_> = page.items.iter().chain(&rest.items).collect();
    let people: Vec<_> = all.iter().map(|one| one.user_id.get()).collect();
    assert_eq!(people, [5, 4, 3, 2, 1]);

    let cancelled = admin
        .post(&format!("/deliveries/{}/cancel", all[0].id))
        .await;
    let cancelled: Delivery = cancelled.expect(200).json();
    assert_eq!(cancelled.state, DeliveryState::Cancelled);
    assert_eq!(
        admin.deliveries(Some(DeliveryState::Cancelled)).await,
        [cancelled]
    );
    assert_eq!(admin.deliveries(Some(DeliveryState::Queued)).await.len(), 4);
    let problem = admin
        .get("/deliveries?state=lost")
        .await
        .expect(422)
        .problem();
    assert_eq!(problem.errors[0].pointer, "?state");
}

#[tokio::test]
async fn a_dead_letter_can_be_tried_again_and_one_that_was_sent_cannot() {
    let office = Office::with(
        |attempt| match attempt.number {
            1 => Manners::Refuse(550),
            _ => Manners::Accept,
        },
        |_| {},
    );
    let admin = office.admin();
    office.happens(&[registration(7)]).await;
    let dead = admin.ended(DeliveryState::Dead, "smtp_550").await;
    admin
        .post(&format!("/deliveries/{}/retry", dead.id))
        .await
        .expect(200);
    let taken = office.server.wait_for(1, PATIENCE).await;
    assert_eq!(taken[0].message_id(), dead.message_id);
    admin
        .the_letter("sent", |one| one.state == DeliveryState::Sent)
        .await;
    for verb in ["retry", "cancel"] {
        let path = format!("/deliveries/{}/{verb}", dead.id);
        let problem = admin.post(&path).await.expect(409).problem();
        assert_eq!(problem.detail.as_deref(), Some("the letter is sent"));
        admin
            .post(&format!("/deliveries/999/{verb}"))
            .await
            .expect(404);
        admin
            .post(&format!("/deliveries/abc/{verb}"))
            .await
            .expect(404);
    }
}

#[tokio::test]
async fn every_template_can_be_looked_at_in_the_language_that_comes_nearest() {
    let office = Office::with(|_| Manners::Accept, |mail| mail.run = false);
    let admin = office.admin();
    for name in [
        "welcome",
        "reset_password",
        "confirm_email",
        "accept_invitation",
        "enrolment",
        "announcement",
    ] {
        let preview = async |locale: &str| -> LetterPreview {
            let path = format!("/mail/templates/{name}/preview{locale}");
            admin.get(&path).await.expect(200).json()
        };
        let (english, german) = (preview("").await, preview("?locale=de-AT").await);
        assert!(english.html.contains("Ada Lovelace"), "{name}");
        assert_ne!(english.text, german.text, "{name}");
        assert_eq!(preview("?locale=fr").await.subject, english.subject);
    }
    admin
        .get("/mail/templates/birthday/preview")
        .await
        .expect(404)
        .problem();
}
