//! What ends a session for its refresh token.

use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use time::Duration;

use crate::platform::{PASSWORD, Platform};
use crate::sessions::{ended, session};

#[tokio::test]
async fn after_a_logout_no_token_of_the_session_goes_on_not_even_within_the_grace() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let next = session(platform.refreshes(&ada.refresh_token).await);
    platform.logs_out(&next.refresh_token).await.expect(204);
    ended(platform.refreshes(&next.refresh_token).await);
    ended(platform.refreshes(&ada.refresh_token).await);
}

#[tokio::test]
async fn a_session_lasts_thirty_days_from_its_login_however_often_it_is_refreshed() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let mut held = ada.refresh_token;
    for _ in 0..29 {
        platform.passes(Duration::days(1)).await;
        held = session(platform.refreshes(&held).await).refresh_token;
    }
    platform.passes(Duration::DAY - Duration::MINUTE).await;
    held = session(platform.refreshes(&held).await).refresh_token;
    platform.passes(Duration::MINUTE).await;
    ended(platform.refreshes(&held).await);
    session(platform.logs_in(&ada.email, PASSWORD).await);
}

#[tokio::test]
async fn somebody_disabled_does_not_go_on() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let database = platform.app.database().connect().await;
    let disable = format!("UPDATE users SET status = 'disabled' WHERE id = {}", ada.id);
    database.execute_unprepared(&disable).await.unwrap();
    ended(platform.refreshes(&ada.refresh_token).await);
    platform.logs_in(&ada.email, PASSWORD).await.expect(401);
}

#[tokio::test]
async fn the_oldest_session_ends_when_there_are_too_many() {
    let platform = Platform::with(|settings| settings.service.tokens.sessions_per_account = 3);
    let ada = platform.student("ada").await;
    let bob = platform.student("bob").await;
    let mut later = Vec::new();
    for _ in 0..3 {
        later.push(session(platform.logs_in(&ada.email, PASSWORD).await));
    }
    ended(platform.refreshes(&ada.refresh_token).await);
    for kept in &later {
        session(platform.refreshes(&kept.refresh_token).await);
    }
    session(platform.refreshes(&bob.refresh_token).await);
}

#[tokio::test]
async fn logins_at_once_leave_no_more_sessions_than_one_account_may_have() {
    let platform = Platform::with(|settings| settings.service.tokens.sessions_per_account = 3);
    let ada = platform.student("ada").await;
    let logins = (0..8).map(|_| platform.logs_in(&ada.email, PASSWORD));
    for answer in futures_util::future::join_all(logins).await {
        session(answer);
    }
    // Her own token went with the first session.
    let path = format!("/users/{}/sessions", ada.id);
    let list: Value = platform.admin().await.get(&path).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 3, "{list}");
    assert_eq!(list["next_cursor"], json!(null));
}

#[tokio::test]
async fn after_a_change_of_the_password_the_other_sessions_do_not_go_on() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let elsewhere = session(platform.logs_in(&ada.email, PASSWORD).await);
    let change = json!({"current_password": PASSWORD, "new_password": "a heron on one leg"});
    let put = ada.client.put("/users/me/password").bearer(&ada.token);
    put.json(&change).send().await.expect(204);
    ended(platform.refreshes(&elsewhere.refresh_token).await);
    session(platform.refreshes(&ada.refresh_token).await);
}
