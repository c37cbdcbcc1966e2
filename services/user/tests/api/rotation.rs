//! A refresh token that comes back: its answer was lost, or somebody stole it.

use futures_util::future::join_all;
use lyceum_contracts::user::Session;
use serde_json::Value;
use time::Duration;

use crate::platform::{PASSWORD, Platform};
use crate::sessions::{ended, session};

const GRACE: Duration = Duration::seconds(10);

#[tokio::test]
async fn a_client_whose_answer_was_lost_asks_again_and_goes_on() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let mut held = ada.refresh_token;
    for _ in 0..3 {
        let lost = session(platform.refreshes(&held).await);
        platform.passes(Duration::seconds(4)).await;
        session(platform.refreshes(&held).await);
        platform.passes(Duration::seconds(4)).await;
        let arrived = session(platform.refreshes(&held).await);
        assert_ne!(arrived.refresh_token, lost.refresh_token);
        let me = platform.client().get("/users/me");
        me.bearer(&arrived.access_token).send().await.expect(200);
        held = arrived.refresh_token;
        platform.passes(Duration::days(2)).await;
    }
}

#[tokio::test]
async fn a_token_used_again_ten_seconds_later_ends_the_whole_family() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let elsewhere = session(platform.logs_in(&ada.email, PASSWORD).await);
    let newest = session(platform.refreshes(&ada.refresh_token).await);
    platform.passes(GRACE).await;
    ended(platform.refreshes(&ada.refresh_token).await);
    ended(platform.refreshes(&newest.refresh_token).await);
    ended(platform.refreshes(&ada.refresh_token).await);
    session(platform.refreshes(&elsewhere.refresh_token).await);
}

#[tokio::test]
async fn asking_again_does_not_prolong_the_grace() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    session(platform.refreshes(&ada.refresh_token).await);
    platform.passes(Duration::seconds(6)).await;
    let newest = session(platform.refreshes(&ada.refresh_token).await);
    platform.passes(Duration::seconds(6)).await;
    ended(platform.refreshes(&ada.refresh_token).await);
    ended(platform.refreshes(&newest.refresh_token).await);
}

#[tokio::test]
async fn a_token_used_again_at_once_ends_the_family_if_its_successor_was_used() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let second = session(platform.refreshes(&ada.refresh_token).await);
    let third = session(platform.refreshes(&second.refresh_token).await);
    ended(platform.refreshes(&ada.refresh_token).await);
    ended(platform.refreshes(&third.refresh_token).await);
    ended(platform.refreshes(&second.refresh_token).await);
}

#[tokio::test]
async fn without_a_grace_a_token_counts_once() {
    let platform = Platform::with(|settings| settings.service.tokens.replay_grace_ms = 0);
    let ada = platform.student("ada").await;
    let newest = session(platform.refreshes(&ada.refresh_token).await);
    ended(platform.refreshes(&ada.refresh_token).await);
    ended(platform.refreshes(&newest.refresh_token).await);
}

#[tokio::test]
async fn of_two_refreshes_at_once_either_answer_goes_on_and_only_one() {
    for (first, second) in [(0, 1), (1, 0)] {
        let platform = Platform::start();
        let ada = platform.student("ada").await;
        let both = (0..2).map(|_| platform.refreshes(&ada.refresh_token));
        let answers: Vec<Session> = join_all(both).await.into_iter().map(session).collect();
        let went_on = session(platform.refreshes(&answers[first].refresh_token).await);
        session(platform.refreshes(&went_on.refresh_token).await);
        // The other one is in another hand by now: a lost answer would not have come back.
        ended(platform.refreshes(&answers[second].refresh_token).await);
    }
}

#[tokio::test]
async fn a_thief_with_a_copy_is_out_as_soon_as_owner_and_thief_both_used_what_they_got() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let thief = session(platform.refreshes(&ada.refresh_token).await);
    let owner = session(platform.refreshes(&ada.refresh_token).await);
    platform.passes(Duration::minutes(15)).await;
    let owner = session(platform.refreshes(&owner.refresh_token).await);
    ended(platform.refreshes(&thief.refresh_token).await);
    ended(platform.refreshes(&owner.refresh_token).await);

    let admin = platform.admin().await;
    let path = format!("/audit?user_id={}&action=token_replayed", ada.id);
    let kept: Value = admin.get(&path).await.expect(200).json();
    assert_eq!(kept["items"].as_array().unwrap().len(), 1, "{kept}");
}

#[tokio::test]
async fn of_fifty_refreshes_at_once_every_answer_may_go_on_and_one_does() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let all = (0..50).map(|_| platform.refreshes(&ada.refresh_token));
    let answers: Vec<Session> = join_all(all).await.into_iter().map(session).collect();

    // A second storm: each client uses the answer it got.
    let next = answers
        .iter()
        .map(|answer| platform.refreshes(&answer.refresh_token));
    let (went_on, rest): (Vec<_>, Vec<_>) = join_all(next)
        .await
        .into_iter()
        .partition(|answer| answer.status == 200);
    assert_eq!(went_on.len(), 1);
    rest.into_iter().for_each(ended);
    for answer in went_on {
        ended(platform.refreshes(&session(answer).refresh_token).await);
    }
}

#[tokio::test]
async fn of_fifty_refreshes_at_once_the_client_that_kept_any_one_answer_goes_on_alone() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let all = (0..50).map(|_| platform.refreshes(&ada.refresh_token));
    let answers: Vec<Session> = join_all(all).await.into_iter().map(session).collect();
    let mut held = answers[17].refresh_token.clone();
    for _ in 0..3 {
        platform.passes(Duration::days(1)).await;
        held = session(platform.refreshes(&held).await).refresh_token;
    }
}
