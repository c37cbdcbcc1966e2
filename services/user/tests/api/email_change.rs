//! Another address for an account.

use futures_util::future::join;
use lyceum_contracts::event::{Event, LinkPurpose};
use lyceum_contracts::notification::EventBatch;
use lyceum_testing::http::Response;

use crate::letters::{assert_spent, fault};
use crate::platform::{PASSWORD, Platform};

const COUNTESS: &str = "Countess@lovelace.example";

fn assert_taken(answer: Response) {
    let answer = answer.expect(409);
    assert_eq!(answer.problem().r#type, "/problems/conflict");
    assert!(!answer.text().contains("lovelace.example"));
}

#[tokio::test]
async fn an_address_changes_once_its_mailbox_says_so() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let answer = ada.changes_email(COUNTESS, PASSWORD).await.expect(202);
    assert!(answer.body.is_empty());
    let before = ada.account().await;
    assert_eq!(before.email, "ada@example.org");

    let letter = platform.letter().await;
    assert_eq!(letter.purpose, LinkPurpose::ConfirmEmail);
    assert_eq!(letter.to, COUNTESS, "where the new address is");
    platform.confirms(&letter.token).await.expect(204);

    let after = ada.account().await;
    assert_eq!(after.email, COUNTESS);
    assert_eq!(after.version, before.version + 1);
    platform.logs_in(&ada.email, PASSWORD).await.expect(401);
    let folded = COUNTESS.to_uppercase();
    platform.logs_in(&folded, PASSWORD).await.expect(200);
    platform.refreshes(&ada.refresh_token).await.expect(200);
    assert_spent(platform.confirms(&letter.token).await);
    // The old address is free again.
    platform.registers(&ada.email).await.expect(201);

    while platform.deliver_pending().await.delivered > 0 {}
    let told = platform.notification.requests().into_iter();
    let events = told.flat_map(|request| request.json::<EventBatch>().events);
    let updated = events.filter(
        |envelope| matches!(envelope.event, Event::UserUpdated { user_id } if user_id == ada.id),
    );
    assert_eq!(updated.count(), 1);
}

#[tokio::test]
async fn a_taken_address_is_told_to_nobody_but_its_own_mailbox() {
    let platform = Platform::start();
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    let taken = ada.changes_email(&bob.email, PASSWORD).await.expect(202);
    let letter = platform.letter().await;
    assert_eq!(letter.to, bob.email);
    let free = bob.changes_email(COUNTESS, PASSWORD).await.expect(202);
    assert_eq!(taken.body, free.body);
    assert_taken(platform.confirms(&letter.token).await);
    assert_eq!(ada.account().await.email, ada.email);

    // Once Bob has left it, the same link finds it free.
    let moves = platform.letter().await;
    platform.confirms(&moves.token).await.expect(204);
    platform.confirms(&letter.token).await.expect(204);
    assert_eq!(ada.account().await.email, bob.email);
}

#[tokio::test]
async fn of_two_accounts_that_confirm_one_address_at_once_one_gets_it() {
    let platform = Platform::start();
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    ada.changes_email(COUNTESS, PASSWORD).await.expect(202);
    let first = platform.letter().await;
    bob.changes_email(&COUNTESS.to_lowercase(), PASSWORD)
        .await
        .expect(202);
    let second = platform.letter().await;
    let (first, second) = join(
        platform.confirms(&first.token),
        platform.confirms(&second.token),
    )
    .await;
    let (won, lost) = if first.status == 204 {
        (first, second)
    } else {
        (second, first)
    };
    won.expect(204);
    assert_taken(lost);
}

#[tokio::test]
async fn a_new_address_asks_for_the_password() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let named = ("#/password".to_owned(), "wrong_password".to_owned());
    assert_eq!(fault(ada.changes_email(COUNTESS, "wrong").await), named);
    for email in ["a@b.c\r\nBcc: x@y", "x", "a@b.c\0"] {
        let answer = ada.changes_email(email, PASSWORD).await;
        let named = ("#/email".to_owned(), "malformed_email".to_owned());
        assert_eq!(fault(answer), named, "{email:?}");
    }
    assert!(platform.promises().await.is_empty());
}

#[tokio::test]
async fn the_newest_letter_alone_counts_and_three_may_be_asked_for_in_an_hour() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let mut letters = Vec::new();
    for name in ["a", "b", "c"] {
        let email = format!("{name}@lovelace.example");
        ada.changes_email(&email, PASSWORD).await.expect(202);
        letters.push(platform.letter().await);
    }
    let answer = ada.changes_email(COUNTESS, PASSWORD).await.expect(429);
    assert_eq!(answer.problem().r#type, "/problems/too-many-requests");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((3_500..=3_600).contains(&wait), "{wait}");

    assert_spent(platform.confirms(&letters[0].token).await);
    assert_spent(platform.confirms(&letters[1].token).await);
    platform.confirms(&letters[2].token).await.expect(204);
    assert_eq!(ada.account().await.email, "c@lovelace.example");
    // Nothing keeps an address that was asked for and not taken.
    let kept = "UPDATE mailed_links SET address = NULL WHERE address IS NOT NULL";
    assert_eq!(platform.changes(kept).await, 0);
}

#[tokio::test]
async fn a_letter_to_the_old_address_sets_no_password_after_the_change() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(&ada.email).await.expect(202);
    let reset = platform.letter().await;
    ada.changes_email(COUNTESS, PASSWORD).await.expect(202);
    let letter = platform.letter().await;
    platform.confirms(&letter.token).await.expect(204);
    let other = "an egret on two legs";
    assert_spent(platform.resets(&reset.token, other).await);
    platform.logs_in(COUNTESS, PASSWORD).await.expect(200);
}
