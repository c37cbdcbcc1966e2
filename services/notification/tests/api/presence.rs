//! Who is there, and who may know.

use lyceum_chassis::settings::Settings;
use lyceum_contracts::presence::{OnlineCount, Presence, PresenceList};
use lyceum_notification::settings::NotificationSettings;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::http::Client;
use lyceum_testing::identity::TestUsers;
use lyceum_testing::process::Process;
use lyceum_testing::{PATIENCE, eventually};
use serde_json::{Value, json};

use crate::platform::{Person, Platform, event};

fn kept(settings: &mut Settings<NotificationSettings>) {
    settings.service.presence.run = true;
    settings.service.presence.write_ms = 10;
    settings.service.presence.linger_ms = 0;
}

fn platform() -> Platform {
    Platform::with_all(kept)
}

fn admin_of(platform: &Platform) -> Person {
    platform.holder_of(500, platform.tokens.admin(500))
}

impl Person {
    /// What is said of `ids`.
    async fn asks_about(&self, ids: &str) -> Vec<Presence> {
        let answer = self.get(&format!("/presence?user_ids={ids}")).await;
        answer.expect(200).json::<PresenceList>().items
    }

    async fn sees(&self, id: i64) -> Presence {
        self.asks_about(&id.to_string()).await[0]
    }

    async fn sees_come(&self, id: i64) -> Presence {
        eventually("online", async || {
            Some(self.sees(id).await).filter(|presence| presence.online)
        })
        .await
    }

    async fn sees_leave(&self, id: i64) -> Presence {
        eventually("offline", async || {
            Some(self.sees(id).await).filter(|presence| !presence.online)
        })
        .await
    }

    async fn counts(&self) -> u64 {
        let answer = self.get("/presence/count").await.expect(200);
        answer.json::<OnlineCount>().online
    }

    async fn chooses(&self, choice: &Value) -> Value {
        let request = self.client.put("/preferences").bearer(&self.token);
        request.json(choice).send().await.expect(200).json()
    }
}

#[tokio::test]
async fn somebody_is_there_while_a_stream_of_theirs_is_open_and_was_when_they_left() {
    let platform = platform();
    let (ada, bob) = (platform.person(1), platform.person(2));
    assert_eq!(bob.sees(1).await.last_seen_at, None);
    let (stream, _) = ada.listens(None).await;
    let there = bob.sees_come(1).await.last_seen_at.unwrap();
    assert_eq!((there.second(), there.nanosecond()), (0, 0));
    let (socket, _) = ada.tunes_in(None).await;
    drop(stream);
    // Whatever was to be written of that is written by then.
    let (stream, _) = bob.listens(None).await;
    ada.sees_come(2).await;
    assert!(bob.sees(1).await.online, "on the socket");
    drop((socket, stream));
    let left = bob.sees_leave(1).await.last_seen_at.unwrap();
    assert!(left >= there);
    assert_eq!(left.second(), 0);
    // Each is asked about once, by id, and of nobody there is nothing to say.
    let said = bob.asks_about("999,2,1,1").await;
    let ids: Vec<i64> = said.iter().map(|presence| presence.user_id.get()).collect();
    assert_eq!(ids, [1, 2, 999]);
    assert_eq!((said[2].online, said[2].last_seen_at), (false, None));
}

#[tokio::test]
async fn who_hides_is_seen_by_themself_and_by_admins_alone_and_counted() {
    let platform = platform();
    let (ada, bob, admin) = (platform.person(1), platform.person(2), admin_of(&platform));
    let (_stream, _) = ada.listens(None).await;
    bob.sees_come(1).await;
    let chosen = ada
        .chooses(&json!({"presence": "hidden", "items": []}))
        .await;
    assert_eq!(chosen["presence"], "hidden");
    let hidden = bob.sees(1).await;
    assert_eq!((hidden.online, hidden.last_seen_at), (false, None));
    for seeing in [&ada, &admin] {
        let seen = seeing.sees(1).await;
        assert!(seen.online && seen.last_seen_at.is_some());
    }
    assert_eq!(admin.counts().await, 1);

    // A client that does not know of it changes nothing about it.
    let chosen = ada.chooses(&json!({"locale": "de", "items": []})).await;
    assert_eq!(chosen["presence"], "hidden");
    assert!(!bob.sees(1).await.online);
    let chosen = ada
        .chooses(&json!({"presence": "shown", "items": []}))
        .await;
    assert_eq!(chosen["presence"], "shown");
    assert!(bob.sees(1).await.online);

    let request = ada.client.put("/preferences").bearer(&ada.token);
    let wrong = json!({"presence": "away", "items": []});
    let refused = request.json(&wrong).send().await.expect(422).problem();
    assert_eq!(refused.errors[0].pointer, "#/presence");
    let shown: Value = bob.get("/preferences").await.expect(200).json();
    assert_eq!(shown["presence"], "shown");
}

#[tokio::test]
async fn who_comes_back_soon_has_never_left() {
    let platform = Platform::with_all(|settings| {
        kept(settings);
        settings.service.presence.linger_ms = 3_600_000;
    });
    let (ada, bob) = (platform.person(1), platform.person(2));
    let (stream, _) = ada.listens(None).await;
    bob.sees_come(1).await;
    drop(stream);
    eventually("gone from the hub", async || {
        let admin = admin_of(&platform);
        let open: Value = admin.get("/connections").await.expect(200).json();
        (open["people"] == 0).then_some(())
    })
    .await;
    let (_stream, _) = bob.listens(None).await;
    ada.sees_come(2).await;
    assert!(bob.sees(1).await.online);
}

#[tokio::test]
async fn somebody_on_two_replicas_is_there_until_both_are_left_and_counts_once() {
    let platform = platform();
    let other = platform.replica_with_all(kept);
    let here = platform.person(1);
    let there = Person {
        client: other.client().clone(),
        ..here.clone()
    };
    let (bob, admin) = (platform.person(2), admin_of(&platform));
    let (_bobs, _) = bob.listens(None).await;
    let (stream_here, _) = here.listens(None).await;
    let (stream_there, _) = there.listens(None).await;
    there.sees_come(2).await;
    bob.sees_come(1).await;
    assert_eq!(admin.counts().await, 2);
    drop(stream_here);
    // Another who comes and leaves there and here, so that both have written meanwhile.
    for person in [platform.person(3), there.clone()] {
        let (stream, _) = person.listens(None).await;
        bob.sees_come(person.id).await;
        drop(stream);
    }
    assert!(bob.sees(1).await.online);
    drop(stream_there);
    bob.sees_leave(1).await;
    bob.sees_leave(3).await;
    assert_eq!(admin.counts().await, 1);
    drop(other);
}

#[tokio::test]
async fn nobody_stays_on_a_process_that_was_killed() {
    let (tokens, database) = (TestUsers::new(), TestDatabase::create());
    let users = tokens.serve();
    let start = |lease_ms: u64| {
        Process::service(env!("CARGO_BIN_EXE_lyceum-notification"))
            .setting("database.url", database.url())
            .setting("database.min_connections", 0)
            .setting("upstreams.user.base_url", users.url())
            .setting("presence.write_ms", 20)
            .setting("presence.linger_ms", 0)
            .setting("presence.lease_ms", lease_ms)
            .start()
    };
    let person = async |process: &Process, id: i64| Person {
        id,
        token: tokens.student(id),
        client: Client::new(process.ports(PATIENCE).await.api_url()),
    };
    let (mut killed, mut left) = (start(2_000), start(30_000));
    let bob = person(&left, 2).await;
    let ada = person(&killed, 1).await;
    let (_ada, _) = ada.listens(None).await;
    let (_bob, _) = bob.listens(None).await;
    bob.sees_come(1).await;
    killed.kill9().await;
    assert!(bob.sees_leave(1).await.last_seen_at.is_some());
    assert!(bob.sees(2).await.online, "the other lives and says so");

    // One that is asked to stop says that everybody has left.
    left.terminate();
    assert!(left.wait(PATIENCE).await.success());
    let process = start(30_000);
    let cyd = person(&process, 3).await;
    let bob = cyd.sees(2).await;
    assert!(!bob.online && bob.last_seen_at.is_some());
    assert!(cyd.sees(1).await.last_seen_at.is_some());
}

#[tokio::test]
async fn many_who_come_at_once_are_written_down_together() {
    const PEOPLE: i64 = 150;
    let platform = Platform::with_all(|settings| {
        kept(settings);
        settings.service.presence.write_ms = 2_000;
    });
    let admin = admin_of(&platform);
    let mut streams = Vec::new();
    for id in 1..=PEOPLE {
        streams.push(platform.person(id).listens(None).await);
    }
    eventually("all there", async || {
        (admin.counts().await == PEOPLE.unsigned_abs()).then_some(())
    })
    .await;
    let metrics = platform.app.operations().get("/metrics").send().await;
    let metrics = metrics.expect(200).text();
    let of_seats = |line: &&str| {
        line.starts_with("db_client_operation_duration_seconds_count")
            && line.contains("\"INSERT\"")
            && line.contains("\"presence_seats\"")
    };
    let line = metrics.lines().find(of_seats).unwrap();
    let writes: u64 = line.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((1..50).contains(&writes), "{writes}");
}

#[tokio::test]
async fn nothing_of_somebody_who_is_erased_is_known() {
    let platform = platform();
    let (ada, admin) = (platform.person(1), admin_of(&platform));
    let (stream, _) = ada.listens(None).await;
    admin.sees_come(1).await;
    let gone = event("user.deleted", &json!({ "user_id": 1 }));
    platform.happens(&[gone]).await;
    drop(stream);
    let bob = platform.person(2);
    let (stream, _) = bob.listens(None).await;
    admin.sees_come(2).await;
    drop(stream);
    admin.sees_leave(2).await;
    let nobody = admin.sees(1).await;
    assert_eq!((nobody.online, nobody.last_seen_at), (false, None));
}

#[tokio::test]
async fn a_question_about_nobody_or_too_many_is_refused() {
    let platform = platform();
    let ada = platform.person(1);
    let ids = |count: i64| {
        let ids: Vec<String> = (1..=count).map(|id| id.to_string()).collect();
        ids.join(",")
    };
    assert_eq!(ada.asks_about(&ids(100)).await.len(), 100);
    for query in [
        String::new(),
        "?user_ids=".to_owned(),
        "?user_ids=x".to_owned(),
        "?user_ids=0".to_owned(),
        "?user_ids=1,,2".to_owned(),
        "?user_ids=1;2".to_owned(),
        "?user_ids=-1".to_owned(),
        format!("?user_ids={}", ids(101)),
    ] {
        let refused = ada.get(&format!("/presence{query}")).await.expect(422);
        let errors = refused.problem().errors;
        assert_eq!(errors[0].pointer, "?user_ids", "{query}");
    }
}
