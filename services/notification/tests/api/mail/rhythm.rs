//! Letters that can wait: through quiet hours, and for a digest.

use lyceum_chassis::clock;
use lyceum_contracts::delivery::{Delivery, DeliveryState};
use lyceum_testing::smtp::Manners;
use lyceum_testing::{PATIENCE, eventually};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use super::office::{Office, announcement, reset};
use crate::platform::enrolment;

impl Office {
    async fn chooses(&self, user: i64, choice: Value) {
        let person = self.person(user);
        let request = person.client.put("/preferences").bearer(&person.token);
        request.json(&choice).send().await.expect(200);
    }

    /// Every letter, once so many of them wait for their readers.
    async fn waits(&self, count: usize) -> Vec<Delivery> {
        let admin = self.admin();
        eventually("letters wait", async || {
            let all = admin.deliveries(Some(DeliveryState::Queued)).await;
            let waits = |one: &&Delivery| one.error.as_deref() == Some("not_yet");
            (all.iter().filter(waits).count() == count).then_some(all)
        })
        .await
    }

    async fn sent(&self, count: usize) -> Vec<Delivery> {
        let admin = self.admin();
        eventually("letters sent", async || {
            let sent = admin.deliveries(Some(DeliveryState::Sent)).await;
            (sent.len() == count).then_some(sent)
        })
        .await
    }

    /// Lets the letters that wait have been caused long ago.
    async fn years_pass(&self) {
        let database = self.app.database().connect().await;
        let past = "2020-01-01T00:00:00.000000Z";
        let age = format!(
            "UPDATE mails SET created_at = '{past}', due_at = '{past}' WHERE state = 'queued'"
        );
        database.execute_unprepared(&age).await.unwrap();
    }
}

#[tokio::test]
async fn in_quiet_hours_letters_wait_but_not_those_the_safety_of_an_account_hangs_on() {
    let office = Office::open();
    let minute = clock::now().unix_timestamp() / 60;
    let time = |minute: i64| {
        let minute = minute.rem_euclid(1_440);
        format!("{:02}:{:02}", minute / 60, minute % 60)
    };
    let quiet = json!({
        "quiet_from": time(minute + 60 - 10), "quiet_until": time(minute + 60 + 30),
        "utc_offset_minutes": 60, "items": [],
    });
    office.chooses(1, quiet).await;
    let events = [
        announcement(1, "News", "One"),
        reset(1, 5),
        announcement(2, "News", "One"),
    ];
    office.happens(&events).await;
    let mut taken = office.server.wait_for(2, PATIENCE).await;
    taken.sort_by_key(|letter| letter.recipient.clone());
    assert_eq!(taken[0].recipient, "link5@example.org");
    assert_eq!(taken[1].recipient, "user2@example.org");
    let waits = office.waits(1).await;
    let until = waits[0].due_at.unwrap().unix_timestamp();
    let end = (minute + 30) * 60;
    assert!((end..=end + 1).contains(&until), "{until}, not {end}");
    assert_eq!((waits.len(), waits[0].attempts), (1, 0));

    office.chooses(1, json!({"items": []})).await;
    let again = format!("/deliveries/{}/retry", waits[0].id);
    office.admin().post(&again).await.expect(200);
    office.sent(3).await;
}

#[tokio::test]
async fn what_is_gathered_comes_as_one_letter_with_an_end_to_all_of_it() {
    let office = Office::with(|_| Manners::Accept, |mail| mail.batch = 2);
    office
        .chooses(1, json!({"digest": "daily", "items": []}))
        .await;
    let events = [
        enrolment(1, "Logic"),
        announcement(1, "News", "One"),
        enrolment(1, "Sets"),
        enrolment(2, "Sets"),
    ];
    office.happens(&events).await;
    assert_eq!(
        office.server.wait_for(1, PATIENCE).await[0].recipient,
        "user2@example.org"
    );
    office.waits(3).await;
    office.years_pass().await;
    let taken = office.server.wait_for(2, PATIENCE).await;
    let digest = &taken[1];
    assert_eq!(digest.recipient, "user1@example.org");
    assert_eq!(digest.header("Subject").unwrap(), "News from Lyceum: 3");
    let body = digest.body();
    let places = [
        "You are enrolled in Logic",
        "News",
        "You are enrolled in Sets",
    ]
    .map(|subject| body.rfind(subject).unwrap());
    assert!(places.is_sorted(), "{body}");
    let sent = office.sent(4).await;
    assert!(
        sent.iter()
            .all(|one| one.attempts == 0 && one.error.is_none())
    );
    assert_eq!(office.server.attempts(), 2);

    let link = digest.header("List-Unsubscribe").unwrap();
    let path = link
        .trim_matches(['<', '>'])
        .strip_prefix("https://api.lyceum.test")
        .unwrap();
    office.app.client().post(path).send().await.expect(200);
    let chosen: Value = office
        .person(1)
        .get("/preferences")
        .await
        .expect(200)
        .json();
    let items = chosen["items"].as_array().unwrap();
    let mailed = items
        .iter()
        .filter(|item| item["mutable"] == true && item["mail"] == true);
    assert_eq!(mailed.count(), 0, "{chosen}");
}

#[tokio::test]
async fn a_digest_that_is_tried_again_has_all_of_it_and_the_same_message_id() {
    let office = Office::with(
        |attempt| match attempt.number {
            1 => Manners::AcceptAndHangUp,
            _ => Manners::Accept,
        },
        |_| {},
    );
    office
        .chooses(1, json!({"digest": "hourly", "items": []}))
        .await;
    office
        .happens(&[enrolment(1, "Logic"), enrolment(1, "Sets")])
        .await;
    office.waits(2).await;
    office.years_pass().await;
    office.server.wait_for(1, PATIENCE).await;
    let admin = office.admin();
    let failed = eventually("both failed", async || {
        let queued = admin.deliveries(Some(DeliveryState::Queued)).await;
        let failed = |one: &Delivery| one.error.as_deref() == Some("connection_lost");
        (queued.len() == 2 && queued.iter().all(failed)).then_some(queued)
    })
    .await;
    // One of them is enough: the other goes with it.
    let again = format!("/deliveries/{}/retry", failed[0].id);
    // On a busy machine it may have been tried again by itself.
    admin.post(&again).await;
    let copies = office.server.wait_for(2, PATIENCE).await;
    assert_eq!(copies[0].message_id(), copies[1].message_id());
    assert_eq!(copies[1].header("Subject").unwrap(), "News from Lyceum: 2");
    office.sent(2).await;
    assert_eq!(office.server.attempts(), 2);
}
