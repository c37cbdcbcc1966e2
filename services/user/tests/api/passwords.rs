//! Changing a password one knows.

use futures_util::future::join;
use lyceum_contracts::user::Session;
use serde_json::json;

use crate::letters::{assert_spent, fault};
use crate::platform::{PASSWORD, Platform};

const NEW: &str = "a heron on one leg";

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_keeps_this_one() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let elsewhere: Session = platform
        .logs_in(&ada.email, PASSWORD)
        .await
        .expect(200)
        .json();
    let bob = platform.student("bob").await;
    let answer = ada.changes_password(PASSWORD, NEW).await.expect(204);
    assert!(answer.body.is_empty());

    let ended = platform.refreshes(&elsewhere.refresh_token).await;
    assert_eq!(
        ended.expect(401).problem().r#type,
        "/problems/session-ended"
    );
    ada.get("/users/me").await.expect(200);
    platform.refreshes(&ada.refresh_token).await.expect(200);
    platform.refreshes(&bob.refresh_token).await.expect(200);
    platform.logs_in(&ada.email, PASSWORD).await.expect(401);
    platform.logs_in(&ada.email, NEW).await.expect(200);
}

#[tokio::test]
async fn a_wrong_current_password_is_a_fault_of_its_field_and_changes_nothing() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let elsewhere: Session = platform
        .logs_in(&ada.email, PASSWORD)
        .await
        .expect(200)
        .json();
    for wrong in ["", "correct horse battery stapl", &PASSWORD.to_uppercase()] {
        let answer = ada.changes_password(wrong, NEW).await;
        assert!(!answer.text().contains(NEW));
        let named = ("#/current_password".to_owned(), "wrong_password".to_owned());
        assert_eq!(fault(answer), named, "{wrong}");
    }
    platform
        .refreshes(&elsewhere.refresh_token)
        .await
        .expect(200);
    platform.logs_in(&ada.email, PASSWORD).await.expect(200);
}

#[tokio::test]
async fn whoever_finds_an_open_session_cannot_go_on_guessing_its_password() {
    let platform = Platform::with(|settings| {
        settings.service.limits.login_per_account.quota = 3;
    });
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    ada.changes_password(PASSWORD, NEW).await.expect(204);
    for _ in 0..2 {
        fault(ada.changes_password(PASSWORD, NEW).await);
    }
    fault(ada.changes_email("eve@evil.test", PASSWORD).await);
    let refused = ada.changes_password(NEW, PASSWORD).await.expect(429);
    assert!(refused.header("retry-after").is_some());
    ada.changes_email("eve@evil.test", NEW).await.expect(429);
    bob.changes_password(PASSWORD, NEW).await.expect(204);
    // Its owner is not locked out.
    platform.logs_in(&ada.email, NEW).await.expect(200);
}

#[tokio::test]
async fn a_password_obeys_the_same_rules_wherever_it_is_chosen() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let horse = "horse ".repeat(21);
    let mut current = PASSWORD.to_owned();
    for (password, code) in [
        ("zfHq2w!".to_owned(), Some("too_short")),
        ("password1".to_owned(), Some("too_common")),
        ("PassWord1".to_owned(), Some("too_common")),
        (format!("{}🐎", " ".repeat(64)), None),
        (format!("{horse}é🐎"), None),
        (format!("{horse}é🐎x"), Some("too_long")),
    ] {
        let answer = ada.changes_password(&current, &password).await;
        // A token nobody made: the rules are looked at before it is.
        let token = "A".repeat(43);
        let reset = platform.resets(&token, &password).await;
        let body = json!({"token": token, "password": password});
        let accepted = platform.asks("/auth/accept-invitation", &body).await;
        let Some(code) = code else {
            answer.expect(204);
            assert_spent(reset);
            assert_spent(accepted);
            current = password;
            continue;
        };
        let named = |pointer: &str| (pointer.to_owned(), code.to_owned());
        assert_eq!(fault(answer), named("#/new_password"));
        assert_eq!(fault(reset), named("#/new_password"));
        assert_eq!(fault(accepted), named("#/password"));
    }
    platform.logs_in(&ada.email, &current).await.expect(200);
}

#[tokio::test]
async fn all_of_a_changed_password_counts() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let long = "horse ".repeat(20);
    ada.changes_password(PASSWORD, &long).await.expect(204);
    platform.logs_in(&ada.email, &long[..72]).await.expect(401);
    platform.logs_in(&ada.email, &long).await.expect(200);
}

#[tokio::test]
async fn of_two_who_change_a_password_at_once_one_still_knows_it() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let other = "an egret on two legs";
    let (first, second) = join(
        ada.changes_password(PASSWORD, NEW),
        ada.changes_password(PASSWORD, other),
    )
    .await;
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 422]);
    let kept = if first.status == 204 { NEW } else { other };
    platform.logs_in(&ada.email, kept).await.expect(200);
}

#[tokio::test]
async fn a_body_that_changes_no_password_says_what_is_missing() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let answer = ada
        .puts("/users/me/password", &json!({"password": 1}))
        .await;
    let errors = answer.expect(422).problem().errors;
    let mut pointers: Vec<_> = errors.iter().map(|fault| fault.pointer.as_str()).collect();
    pointers.sort_unstable();
    let missing = ["#/current_password", "#/new_password", "#/password"];
    assert_eq!(pointers, missing);
}

#[tokio::test]
async fn an_address_asked_for_under_the_old_password_is_confirmed_under_no_other() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    for by_letter in [false, true] {
        ada.changes_email("eve@evil.test", PASSWORD)
            .await
            .expect(202);
        let hers = platform.letter().await;
        if by_letter {
            platform.forgets(&ada.email).await.expect(202);
            let letter = platform.letter().await;
            platform.resets(&letter.token, NEW).await.expect(204);
        } else {
            ada.changes_password(PASSWORD, NEW).await.expect(204);
            ada.changes_password(NEW, PASSWORD).await.expect(204);
        }
        assert_spent(platform.confirms(&hers.token).await);
    }
    platform.logs_in(&ada.email, NEW).await.expect(200);
}

#[tokio::test]
async fn a_letter_that_waits_opens_nothing_once_the_password_is_changed() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    ada.changes_password(PASSWORD, NEW).await.expect(204);
    assert_spent(platform.resets(&letter.token, "an egret on two legs").await);
    platform.logs_in(&ada.email, NEW).await.expect(200);
}

#[tokio::test]
async fn somebody_who_was_shut_out_since_changes_no_password() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform
        .changes("UPDATE users SET status = 'disabled' WHERE email_folded LIKE 'ada@%'")
        .await;
    ada.changes_password(PASSWORD, NEW).await.expect(401);
}
