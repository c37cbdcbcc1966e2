//! Accounts made for somebody else.

use lyceum_contracts::event::{Event, LinkPurpose};
use lyceum_contracts::notification::EventBatch;
use lyceum_contracts::user::AccountStatus;
use serde_json::json;

use crate::letters::{assert_spent, fault};
use crate::platform::{PASSWORD, Platform};

const ACCEPT: &str = "/auth/accept-invitation";
const NEW: &str = "a heron on one leg";

#[tokio::test]
async fn an_invited_person_chooses_password_and_name_once_and_may_sign_in() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.becomes_invited(&ada).await;
    for password in [PASSWORD, "!", ""] {
        platform.logs_in(&ada.email, password).await.expect(401);
    }
    // Who has lost the invitation asks as for a forgotten password.
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    assert_eq!(letter.purpose, LinkPurpose::AcceptInvitation);
    assert_eq!(letter.to, ada.email);
    assert_spent(platform.resets(&letter.token, NEW).await);

    let body = json!({"token": letter.token, "password": NEW, "full_name": "Augusta Byron"});
    let answer = platform.asks(ACCEPT, &body).await.expect(204);
    assert!(answer.body.is_empty(), "nobody is signed in by it");
    assert_spent(platform.asks(ACCEPT, &body).await);
    platform.logs_in(&ada.email, NEW).await.expect(200);
    let account = ada.account().await;
    assert_eq!(account.status, AccountStatus::Active);
    assert_eq!(account.full_name, "Augusta Byron");

    assert_eq!(platform.deliver_pending().await.delivered, 1);
    let told = platform.notification.requests();
    let told: EventBatch = told.last().unwrap().json();
    let opened = Event::UserRegistered { user_id: ada.id };
    assert_eq!(told.events[0].event, opened, "the account is theirs now");
}

#[tokio::test]
async fn without_a_name_the_one_of_the_invitation_stays() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.becomes_invited(&ada).await;
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    let body = json!({"token": letter.token, "password": NEW});
    platform.asks(ACCEPT, &body).await.expect(204);
    assert_eq!(ada.account().await.full_name, "Ada Lovelace");
}

#[tokio::test]
async fn a_name_of_two_lines_is_a_fault_and_leaves_the_invitation_as_it_was() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.becomes_invited(&ada).await;
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    let mut body =
        json!({"token": letter.token, "password": NEW, "full_name": "Ada\r\nBcc: eve@evil.test"});
    let named = ("#/full_name".to_owned(), "control_character".to_owned());
    assert_eq!(fault(platform.asks(ACCEPT, &body).await), named);
    body["full_name"] = json!(null);
    platform.asks(ACCEPT, &body).await.expect(204);
}
