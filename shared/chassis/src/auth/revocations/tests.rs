//! The list and its watchers, and how the list is followed.

use lyceum_client::{Identity, ServiceAuthSettings, UpstreamSettings};
use lyceum_contracts::role::Role;
use lyceum_testing::PATIENCE;
use lyceum_testing::peer::{Answer, ScriptedPeer};
use serde_json::json;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

fn person(id: i64, session_id: i64, token_version: i64) -> CurrentUser {
    CurrentUser {
        id: id.try_into().unwrap(),
        role: Role::Student,
        session_id,
        token_version,
        expires_at: NOW + Duration::from_mins(15),
    }
}

fn revocation(user: i64, tokens: RevokedTokens) -> Revocation {
    Revocation {
        seq: 1,
        user_id: user.try_into().unwrap(),
        tokens,
        revoked_at: NOW,
        expires_at: NOW + Duration::from_hours(1),
    }
}

fn session(user: i64, session_id: i64) -> Revocation {
    revocation(user, RevokedTokens::OfSession { session_id })
}

fn versions(user: i64, below_version: i64) -> Revocation {
    revocation(user, RevokedTokens::OlderVersions { below_version })
}

#[test]
fn one_session_of_one_person_is_called_in_and_no_other() {
    let list = Revocations::new();
    list.add(&[session(7, 5)]);
    assert!(list.revokes(&person(7, 5, 1)));
    assert!(!list.revokes(&person(7, 6, 1)));
    assert!(!list.revokes(&person(8, 5, 1)));
}

#[test]
fn versions_below_are_called_in_and_the_bar_never_falls() {
    let list = Revocations::new();
    list.add(&[versions(7, 3), versions(7, 2)]);
    assert!(list.revokes(&person(7, 5, 2)));
    assert!(!list.revokes(&person(7, 5, 3)));
    assert!(!list.revokes(&person(8, 5, 1)));
}

#[test]
fn what_concerns_ended_tokens_alone_is_forgotten() {
    let list = Revocations::new();
    list.add(&[session(7, 5), versions(8, 2)]);
    list.forget_ended(NOW + Duration::from_mins(59));
    assert!(list.revokes(&person(7, 5, 1)) && list.revokes(&person(8, 1, 1)));
    list.forget_ended(NOW + Duration::from_hours(1));
    assert!(!list.revokes(&person(7, 5, 1)) && !list.revokes(&person(8, 1, 1)));
    assert_eq!(list.0.list.read().unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_watches_a_token_hears_of_its_end_and_of_no_other() {
    let list = Revocations::new();
    let mut watch = list.watch(person(7, 5, 1));
    let second = list.watch(person(7, 6, 1));
    list.add(&[session(8, 5), session(7, 6), versions(7, 1)]);
    let unheard = tokio::time::timeout(PATIENCE, watch.revoked()).await;
    assert!(unheard.is_err());
    list.add(&[session(7, 5)]);
    watch.revoked().await;
    list.watch(person(7, 5, 1)).revoked().await;
    drop((watch, second));
    assert!(list.watched().is_empty(), "who has gone is forgotten");
}

fn users(peer: &ScriptedPeer) -> UserClient {
    let settings = UpstreamSettings {
        base_url: peer.url(),
        ..UpstreamSettings::default()
    };
    let secrets = ServiceAuthSettings {
        secrets: vec!["s".repeat(32).into()],
    };
    let identity = Identity::new("course", &secrets).unwrap();
    UserClient::new(&settings, &identity).unwrap()
}

fn page(items: &[Revocation], next: i64) -> Answer {
    Answer::json(200, &json!({"items": items, "next": next}))
}

#[tokio::test]
async fn while_the_user_service_is_away_what_is_known_stays() {
    let peer = ScriptedPeer::start();
    peer.on("GET /internal/revocations")
        .then(page(&[session(7, 5)], 4))
        .then(Answer::status(503))
        .then(Answer::reset())
        .then(page(&[session(7, 6)], 5));
    let (list, users) = (Revocations::new(), users(&peer));
    let mut follower = Follower::default();
    assert_eq!(follower.ask(&list, &users).await, Duration::ZERO);
    for _ in 0..2 {
        assert_eq!(follower.ask(&list, &users).await, RETRY);
        assert!(list.revokes(&person(7, 5, 1)));
    }
    follower.ask(&list, &users).await;
    assert!(list.revokes(&person(7, 5, 1)) && list.revokes(&person(7, 6, 1)));

    let asked: Vec<_> = peer.requests().into_iter().map(|it| it.query).collect();
    let expected = [
        "after=0&wait_ms=0",
        "after=4&wait_ms=1000",
        "after=4&wait_ms=0",
        "after=4&wait_ms=0",
    ];
    assert_eq!(asked, expected);
    let reports = users.upstream().breakers();
    assert_eq!(reports[0].breaker.consecutive_failures, 0);
}

#[tokio::test]
async fn a_list_that_has_begun_anew_is_not_mixed_with_the_one_before() {
    let peer = ScriptedPeer::start();
    peer.on("GET /internal/revocations")
        .then(page(&[session(7, 5)], 40))
        .then(page(&[session(7, 2)], 1));
    let (list, users) = (Revocations::new(), users(&peer));
    let mut follower = Follower::default();
    for _ in 0..2 {
        follower.ask(&list, &users).await;
    }
    assert!(!list.revokes(&person(7, 5, 1)));
    assert!(list.revokes(&person(7, 2, 1)));
    assert_eq!(follower.after, 1);
}

#[tokio::test]
async fn a_peer_that_does_not_wait_is_not_asked_without_a_pause() {
    let peer = ScriptedPeer::start();
    peer.on("GET /internal/revocations").always(page(&[], 4));
    let (list, users) = (Revocations::new(), users(&peer));
    let mut follower = Follower::default();
    assert_eq!(follower.ask(&list, &users).await, Duration::ZERO);
    assert_eq!(follower.ask(&list, &users).await, WAIT);
}
