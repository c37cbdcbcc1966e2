//! A mail server that says no, not now, or nothing.

use std::time::Duration;

use lyceum_contracts::delivery::{Delivery, DeliveryState};
use lyceum_notification::settings::MailSettings;
use lyceum_testing::smtp::Manners;
use lyceum_testing::{PATIENCE, eventually};

use super::office::{Office, reset};
use crate::platform::registration;

#[tokio::test]
async fn what_is_refused_for_good_is_a_dead_letter_at_once() {
    for (manners, word) in [
        (Manners::Refuse(550), "smtp_550"),
        (Manners::RefuseLetter(554), "smtp_554"),
    ] {
        let office = Office::with(move |_| manners.clone(), |_| {});
        office.happens(&[registration(7)]).await;
        let dead = office.admin().ended(DeliveryState::Dead, word).await;
        assert_eq!((dead.attempts, dead.due_at), (1, None));
        let listed = office.admin().deliveries(Some(DeliveryState::Dead)).await;
        assert_eq!(listed, [dead]);
        assert_eq!(office.server.attempts(), 1);
    }
}

#[tokio::test]
async fn what_is_refused_for_now_waits_for_its_next_attempt() {
    for (manners, word) in [
        (Manners::Refuse(451), "smtp_451"),
        (Manners::RefuseLetter(452), "smtp_452"),
        (Manners::RefuseLetter(421), "smtp_421"),
        (Manners::HangUp, "connection_lost"),
        (Manners::AcceptAndHangUp, "connection_lost"),
        (Manners::Delay(PATIENCE), "timeout"),
    ] {
        let is_slow = matches!(manners, Manners::Delay(_));
        let configure = |mail: &mut MailSettings| {
            if is_slow {
                mail.timeout_ms = 300;
            }
        };
        let office = Office::with(move |_| manners.clone(), configure);
        office.happens(&[registration(7)]).await;
        let waits = office.admin().ended(DeliveryState::Queued, word).await;
        let pause = (waits.due_at.unwrap() - waits.updated_at).as_seconds_f64();
        // A busy machine may look only after a later attempt.
        let tried = usize::try_from(waits.attempts).unwrap();
        let after = [5.0, 30.0, 300.0][tried - 1];
        assert!(
            (0.79 * after..=1.21 * after).contains(&pause),
            "{word}: a pause and a fifth: {pause}"
        );
    }
}

#[tokio::test]
async fn a_letter_that_comes_twice_has_the_same_message_id_and_a_token_of_its_own() {
    let office = Office::with(
        |attempt| match attempt.number {
            1 => Manners::AcceptAndHangUp,
            _ => Manners::Accept,
        },
        |_| {},
    );
    let admin = office.admin();
    office.happens(&[reset(1, 5)]).await;
    let waits = admin.ended(DeliveryState::Queued, "connection_lost").await;
    let retried = admin.post(&format!("/deliveries/{}/retry", waits.id)).await;
    assert_eq!(retried.expect(200).json::<Delivery>().attempts, 0);
    let copies = office.server.wait_for(2, PATIENCE).await;
    assert_eq!(copies[0].message_id(), copies[1].message_id());
    assert_eq!(copies[0].message_id(), waits.message_id);
    let asked = office.users.requests().into_iter();
    let asked = asked.filter(|one| one.path == "/internal/mailed-links/5/token");
    assert_eq!(asked.count(), 2);
    let sent = admin
        .the_letter("sent", |one| one.state == DeliveryState::Sent)
        .await;
    assert_eq!(sent.error, None);
}

#[tokio::test]
async fn a_server_that_is_away_is_left_alone_and_costs_most_letters_no_attempt() {
    let office = Office::with(
        |_| Manners::Accept,
        |mail| {
            // Nobody listens there.
            mail.smtp.port = 1;
            mail.batch = 50;
        },
    );
    let events: Vec<_> = (1..=50).map(registration).collect();
    office.happens(&events).await;
    let admin = office.admin();
    eventually("all put off", async || {
        let queued = admin.deliveries(Some(DeliveryState::Queued)).await;
        let tried = queued.iter().filter(|one| one.error.is_some()).count();
        (tried == 50).then_some(())
    })
    .await;
    let all = admin.deliveries(None).await;
    let counted = all.iter().filter(|one| one.attempts > 0);
    let words: Vec<_> = counted.map(|one| one.error.as_deref().unwrap()).collect();
    assert!((5..25).contains(&words.len()), "{words:?}");
    assert!(all.iter().all(|one| one.state == DeliveryState::Queued));
    let rest = all.iter().filter(|one| one.attempts == 0);
    for letter in rest {
        assert_eq!(letter.error.as_deref(), Some("breaker_open"));
    }
    // The API does not know of it.
    let health = office.app.client().get("/health").send();
    let health = tokio::time::timeout(Duration::from_secs(5), health).await;
    health.unwrap().expect(200);
}
