//! Signing keys that follow one another, and `lyceum-user rotate-keys`, which makes the next one.

use std::process::Output;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use lyceum_chassis::clock;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::Session;
use lyceum_testing::database::TestDatabase;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::access::issuer;
use crate::commands::{lyceum_user, said};
use crate::neighbour::{next_to, shows};
use crate::platform::{ADMIN, PASSWORD, Person, Platform};
use crate::revocation::refused;

/// Within this every process knows of a key, on a busy machine too; it looks every 5 s.
const BOUND: Duration = Duration::from_secs(20);

impl Platform {
    /// Makes the next key; its id.
    pub(crate) async fn rotates_keys(&self) -> String {
        made(&rotate(self.app.database()).await)
    }

    /// As if the newest key had been made so that it signs since `seconds`.
    async fn newest_key_signs_since(&self, seconds: u64) {
        let from = clock::now() - Duration::from_secs(seconds);
        let from = from.format(&Rfc3339).unwrap();
        let newest = "active_from = (SELECT MAX(active_from) FROM signing_keys)";
        let sql = format!("UPDATE signing_keys SET active_from = '{from}' WHERE {newest}");
        assert_eq!(self.changes(&sql).await, 1);
    }

    /// The ids of the keys it publishes, oldest first.
    async fn published(&self) -> Vec<String> {
        let answer = self.client().get("/.well-known/jwks.json").send().await;
        let keys: Value = answer.expect(200).json();
        let keys = keys["keys"].as_array().unwrap().iter();
        keys.map(|key| key["kid"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until it publishes as many keys.
    async fn publishes(&self, count: usize) -> Vec<String> {
        let begun = Instant::now();
        loop {
            let keys = self.published().await;
            if keys.len() == count {
                return keys;
            }
            assert!(begun.elapsed() < BOUND, "{keys:?}");
        }
    }
}

async fn rotate(database: &TestDatabase) -> Output {
    lyceum_user(database, &[], &["rotate-keys"], "").await
}

/// The key this says it has made.
fn made(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    let (kid, _) = told(output);
    kid
}

/// The id of the key and since when it will sign: the last line, after those of the log.
fn told(output: &Output) -> (String, OffsetDateTime) {
    let told = String::from_utf8_lossy(&output.stdout);
    let line = told.lines().last().unwrap();
    let (kid, from) = line.split_once(" signs from ").unwrap();
    (
        kid.to_owned(),
        OffsetDateTime::parse(from, &Rfc3339).unwrap(),
    )
}

/// The id of the key a token is signed with.
fn signer(token: &str) -> String {
    let (header, _) = token.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

async fn passes(platform: &Platform, token: &str) {
    let me = platform.client().get("/users/me").bearer(token);
    me.send().await.expect(200);
}

async fn token_for(platform: &Platform, person: &Person) -> String {
    let answer = platform.logs_in(&person.email, PASSWORD).await.expect(200);
    answer.json::<Session>().access_token
}

#[tokio::test]
async fn a_key_is_published_by_the_running_service_minutes_before_it_signs() {
    let platform = Platform::start();
    let first = platform.published().await;
    let output = rotate(platform.app.database()).await;
    let now = clock::now();
    let next = made(&output);
    assert_eq!(platform.publishes(2).await, [&first[..], &[next]].concat());
    let ada = platform.student("ada").await;
    assert_eq!(signer(&ada.token), first[0]);

    let (_, from) = told(&output);
    let wait = from - now;
    assert!(wait > Duration::from_secs(330) && wait < Duration::from_mins(6));
}

#[tokio::test]
async fn every_process_and_every_service_goes_on_with_the_next_key_without_a_restart() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let next = platform.rotates_keys().await;
    let replica = platform.replica();
    // It has heard of the key while that waited.
    let neighbour = next_to(&replica);
    shows(&neighbour, &ada.token).await.expect(204);

    platform.newest_key_signs_since(1).await;
    // Each somebody else, who signs in again and again and may lose their oldest sessions by it.
    let (bob, cyd) = (platform.student("bob").await, platform.student("cyd").await);
    let tokens = join_all(
        [(&platform, &bob), (&replica, &cyd)].map(async |(process, person)| {
            let begun = Instant::now();
            loop {
                let token = token_for(process, person).await;
                if signer(&token) == next {
                    return token;
                }
                assert!(begun.elapsed() < BOUND, "still signs with the first key");
            }
        }),
    )
    .await;
    assert_eq!(platform.published().await, replica.published().await);
    for token in tokens.iter().chain([&ada.token]) {
        passes(&platform, token).await;
        passes(&replica, token).await;
        shows(&neighbour, token).await.expect(204);
    }
}

#[tokio::test]
async fn a_key_goes_when_its_last_token_has_ended_and_its_tokens_count_no_more() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let next = platform.rotates_keys().await;
    // Its tokens last for 900 s, and clocks may differ by 30 s.
    platform.newest_key_signs_since(900).await;
    let soon = platform.replica();
    assert_eq!(soon.published().await, [signer(&ada.token), next.clone()]);
    passes(&soon, &ada.token).await;

    platform.newest_key_signs_since(931).await;
    let later = platform.replica();
    assert_eq!(later.published().await, [next]);
    let answer = later.client().get("/users/me").bearer(&ada.token).send();
    refused(answer.await);
    passes(&later, &token_for(&later, &ada).await).await;
}

#[tokio::test]
async fn the_key_of_the_settings_does_not_return_when_the_rows_after_it_are_forgotten() {
    let platform = Platform::start();
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(platform.rotates_keys().await);
        platform.newest_key_signs_since(10_000).await;
    }
    let fourth = platform.rotates_keys().await;
    assert_eq!(
        platform.changes("UPDATE signing_keys SET kid = kid").await,
        2
    );
    assert_eq!(
        platform.replica().published().await,
        [made.remove(2), fourth]
    );
}

#[tokio::test]
async fn a_rotation_waits_for_the_one_before() {
    let platform = Platform::start();
    let next = platform.rotates_keys().await;
    let again = rotate(platform.app.database()).await;
    let line = said(&again);
    assert_eq!(again.status.code(), Some(1), "{line}");
    let reason = format!("lyceum-user: there is a next key already: {next} signs from 20");
    assert!(line.starts_with(&reason), "{line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");

    platform.newest_key_signs_since(1).await;
    let second = platform.rotates_keys().await;
    assert_ne!(second, next);
}

#[tokio::test]
async fn of_rotations_at_once_one_makes_a_key() {
    let platform = Platform::start();
    let database = platform.app.database();
    let outputs = join_all((0..4).map(|_| rotate(database))).await;
    let made = outputs.iter().filter(|output| output.status.success());
    assert_eq!(made.count(), 1);
    for refused in outputs.iter().filter(|output| !output.status.success()) {
        let line = said(refused);
        let told = line.contains("a next key already") || line.contains("somebody else makes");
        assert!(told, "{line}");
    }
    assert_eq!(platform.replica().published().await.len(), 2);
}

#[tokio::test]
async fn a_rotation_that_fails_midway_leaves_no_key_and_no_entry() {
    let platform = Platform::start();
    let entries = "audit_entries RENAME TO";
    platform
        .changes(&format!("ALTER TABLE {entries} elsewhere"))
        .await;
    let failed = rotate(platform.app.database()).await;
    assert_eq!(failed.status.code(), Some(1));
    assert_eq!(platform.changes("DELETE FROM signing_keys").await, 0);
    platform
        .changes("ALTER TABLE elsewhere RENAME TO audit_entries")
        .await;
    let next = platform.rotates_keys().await;
    // Nobody had to be told: who starts reads it.
    assert!(platform.replica().published().await.contains(&next));
}

#[tokio::test]
async fn without_its_table_a_process_goes_on_with_the_keys_it_knows() {
    let platform = Platform::start();
    let next = platform.rotates_keys().await;
    platform.newest_key_signs_since(1).await;
    let replica = platform.replica();
    let (ada, bob) = (replica.student("ada").await, replica.student("bob").await);
    let away = "ALTER TABLE signing_keys RENAME TO elsewhere";
    platform.changes(away).await;
    // Both processes tell it, each once.
    let told = || {
        let lines = platform.app.captured().lines().into_iter();
        lines
            .filter(|line| line.contains("auth.signing_keys_not_read"))
            .count()
    };
    let begun = Instant::now();
    while told() < 2 {
        assert!(begun.elapsed() < BOUND, "nothing is told");
        assert_eq!(signer(&token_for(&replica, &bob).await), next);
    }
    passes(&replica, &ada.token).await;
    assert_eq!(signer(&token_for(&replica, &ada).await), next);
    assert_eq!(replica.published().await.len(), 2);
}

#[tokio::test]
async fn a_key_made_under_another_secret_has_no_effect() {
    let platform = Platform::start();
    let other = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let variables = [("LYCEUM__TOKENS__SIGNING_KEY", other)];
    let database = platform.app.database();
    let foreign = made(&lyceum_user(database, &variables, &["rotate-keys"], "").await);
    let next = platform.rotates_keys().await;
    platform.newest_key_signs_since(1).await;
    let replica = platform.replica();
    assert!(!replica.published().await.contains(&foreign));
    let ada = replica.student("ada").await;
    assert_eq!(signer(&ada.token), next);
}

#[tokio::test]
async fn a_token_signed_with_the_next_key_by_somebody_who_knows_only_its_row_is_refused() {
    let platform = Platform::start();
    let next = platform.rotates_keys().await;
    let replica = platform.replica();
    let ada = platform.student("ada").await;
    let issuer = issuer();
    let forged = issuer.token(ada.id, Role::Admin).parameter("kid", next);
    let me = replica.client().get("/users/me").bearer(forged.sign());
    refused(me.send().await);
}

#[tokio::test]
async fn what_prevents_a_rotation_is_one_line_and_tells_no_secret() {
    let database = TestDatabase::create();
    let nowhere = "sqlite:///nowhere/at/all.db";
    let seed = "c2hvcnQ=";
    for (variable, value, reason) in [
        (
            "LYCEUM__DATABASE__MIGRATE_ON_START",
            "false",
            "run `lyceum-user migrate` first",
        ),
        ("LYCEUM__TOKENS__SIGNING_KEY", seed, "`tokens.signing_key`"),
        ("LYCEUM__DATABASE__URL", nowhere, "database"),
    ] {
        let output = lyceum_user(&database, &[(variable, value)], &["rotate-keys"], "").await;
        let line = said(&output);
        assert_eq!(output.status.code(), Some(1), "{variable}: {line}");
        assert!(
            line.starts_with("lyceum-user: ") && line.contains(reason),
            "{line}"
        );
        assert_eq!(line.trim_end().lines().count(), 1, "{line}");
        assert!(!line.contains(seed), "{line}");
    }
    let output = lyceum_user(&database, &[], &["rotate-keys", "now"], "").await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[tokio::test]
async fn keys_are_rotated_before_the_service_was_ever_started() {
    let database = TestDatabase::create();
    let next = made(&rotate(&database).await);
    let platform = Platform::with(|settings| {
        settings.platform.database.url = database.url().into();
    });
    assert_eq!(platform.published().await.last(), Some(&next));
    platform.logs_in(ADMIN, "wrong").await.expect(401);
}
