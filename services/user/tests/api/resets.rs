//! Setting a forgotten password anew by a link in a letter.

use futures_util::future::join_all;
use lyceum_contracts::event::LinkPurpose;
use lyceum_contracts::mailed_link::MailedLinkToken;
use lyceum_testing::eventually;
use lyceum_testing::http::Response;
use lyceum_testing::spawn::spawn;
use lyceum_user::App;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use time::Duration;

use crate::letters::{assert_spent, fault};
use crate::platform::{PASSWORD, Platform};

const NEW: &str = "a heron on one leg";

#[tokio::test]
async fn a_letter_sets_a_forgotten_password_and_ends_every_session() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(" ADA@example.org ").await.expect(202);
    let promises = platform.promises().await;
    assert_eq!(promises.len(), 1);
    assert_eq!(promises[0].user_id, ada.id.get());
    assert_eq!(promises[0].purpose, LinkPurpose::ResetPassword);

    let began = lyceum_chassis::clock::now();
    let letter = platform.letter().await;
    assert_eq!(letter.to, ada.email);
    assert_eq!(letter.full_name, "Ada Lovelace");
    assert_eq!(letter.purpose, LinkPurpose::ResetPassword);
    let lifetime = letter.expires_at - began;
    assert!(lifetime > Duration::minutes(9) && lifetime < Duration::minutes(11));

    let answer = platform.resets(&letter.token, NEW).await.expect(204);
    assert!(answer.body.is_empty(), "nobody is signed in by it");
    assert!(answer.header("set-cookie").is_none());
    platform.logs_in(&ada.email, PASSWORD).await.expect(401);
    let ended = platform.refreshes(&ada.refresh_token).await.expect(401);
    assert_eq!(ended.problem().r#type, "/problems/session-ended");
    platform.logs_in(&ada.email, NEW).await.expect(200);
}

#[tokio::test]
async fn a_letter_lets_its_reader_in_however_many_have_guessed_before() {
    let platform = Platform::with(|settings| {
        settings.service.limits.login_per_account.quota = 2;
    });
    let ada = platform.student("ada").await;
    for status in [401, 401, 429] {
        platform.logs_in(&ada.email, "wrong").await.expect(status);
    }
    platform.logs_in(&ada.email, PASSWORD).await.expect(429);
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    platform.resets(&letter.token, NEW).await.expect(204);
    platform.logs_in(&ada.email, NEW).await.expect(200);
}

#[tokio::test]
async fn what_is_done_with_letters_and_passwords_is_kept_for_admins() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    fault(ada.changes_password("wrong", NEW).await);
    ada.changes_password(PASSWORD, NEW).await.expect(204);
    ada.changes_email("countess@example.org", NEW)
        .await
        .expect(202);
    let letter = platform.letter().await;
    platform.confirms(&letter.token).await.expect(204);
    platform.forgets("countess@example.org").await.expect(202);
    let letter = platform.letter().await;
    platform.resets(&letter.token, PASSWORD).await.expect(204);

    let path = format!("/audit?user_id={}", ada.id);
    let entries: Value = platform.admin().await.get(&path).await.expect(200).json();
    let entries = entries["items"].as_array().unwrap();
    let seen = |action: &str, actor: &Value| {
        let mut all = entries.iter();
        all.any(|entry| entry["action"] == action && entry["actor_id"] == *actor)
    };
    let (ada, nobody) = (json!(ada.id), Value::Null);
    for (action, actor) in [
        ("login_failed", &ada),
        ("password_changed", &ada),
        ("email_changed", &nobody),
        ("password_reset", &nobody),
    ] {
        assert!(seen(action, actor), "{action}: {entries:?}");
    }
}

#[tokio::test]
async fn whoever_asks_learns_nothing_of_the_account() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let bob = platform.student("bob").await;
    platform
        .changes("UPDATE users SET status = 'disabled' WHERE email_folded LIKE 'bob@%'")
        .await;
    let mut seen = Vec::new();
    for email in [&ada.email, &ada.email, "nobody@example.org", &bob.email] {
        let answer = platform.forgets(email).await.expect(202);
        let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        seen.push((answer.body, headers));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let promised = platform.promises().await;
    assert_eq!(promised.len(), 1, "Ada's first: {promised:?}");
}

#[tokio::test]
async fn an_account_is_sent_one_letter_an_hour() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let all = (0..8).map(|_| platform.forgets(&ada.email));
    for answer in join_all(all).await {
        answer.expect(202);
    }
    assert_eq!(platform.promises().await.len(), 1);
    // As if it had been asked for long ago.
    platform
        .changes("UPDATE mailed_links SET created_at = '2020-01-01T00:00:00.000000Z'")
        .await;
    platform.forgets(&ada.email).await.expect(202);
    assert_eq!(platform.promises().await.len(), 2);
}

#[tokio::test]
async fn a_link_is_followed_once_whichever_copy_of_its_letter_it_is_in() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(&ada.email).await.expect(202);
    let (first, second) = (platform.letter().await, platform.letter().await);
    assert_ne!(first.token, second.token);
    platform.resets(&first.token, NEW).await.expect(204);
    for letter in [first, second] {
        let other = "an egret on two legs";
        assert_spent(platform.resets(&letter.token, other).await);
    }
    platform.logs_in(&ada.email, NEW).await.expect(200);
    let link = platform.promises().await[0].link_id;
    assert_spent(platform.asks_for_letter(link).await);
}

#[tokio::test]
async fn of_many_who_follow_a_link_at_once_one_sets_the_password() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    let password = |number: usize| format!("{NEW} {number}");
    let passwords: Vec<_> = (0..8).map(password).collect();
    let all = passwords
        .iter()
        .map(|password| platform.resets(&letter.token, password));
    let answers = join_all(all).await;
    let won: Vec<_> = (0..8).filter(|n| answers[*n].status == 204).collect();
    assert_eq!(won.len(), 1);
    let lost = answers.into_iter().filter(|answer| answer.status != 204);
    lost.for_each(assert_spent);
    let kept = &passwords[won[0]];
    platform.logs_in(&ada.email, kept).await.expect(200);
}

#[tokio::test]
async fn a_token_that_is_old_unknown_or_for_something_else_opens_nothing() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    ada.changes_email("countess@example.org", PASSWORD)
        .await
        .expect(202);
    let confirmation = platform.letter().await;
    platform.forgets(&ada.email).await.expect(202);
    let old = platform.letter().await;
    let expire = "UPDATE mailed_link_tokens SET expires_at = '2020-01-01T00:00:00.000000Z' \
                  WHERE link_id = (SELECT MAX(id) FROM mailed_links)";
    assert_eq!(platform.changes(expire).await, 1);
    for token in [&old.token, &confirmation.token, &"A".repeat(43)] {
        assert_spent(platform.resets(token, NEW).await);
        let body = json!({"token": token, "password": NEW});
        assert_spent(platform.asks("/auth/accept-invitation", &body).await);
    }
    assert_spent(platform.confirms(&old.token).await);
    // The link itself is good: its next letter works.
    let fresh = platform.letter().await;
    platform.resets(&fresh.token, NEW).await.expect(204);
}

#[tokio::test]
async fn a_token_that_can_be_none_is_a_fault_of_its_field() {
    let platform = Platform::start();
    for token in ["", "abc", "\0", " ", &"A".repeat(44), &"x".repeat(10_000)] {
        let named = ("#/token".to_owned(), "malformed_token".to_owned());
        assert_eq!(fault(platform.resets(token, NEW).await), named);
        assert_eq!(fault(platform.confirms(token).await), named);
    }
}

#[tokio::test]
async fn a_letter_opens_no_account_that_was_shut_since() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    platform
        .changes("UPDATE users SET status = 'disabled'")
        .await;
    assert_spent(platform.resets(&letter.token, NEW).await);
    let link = platform.promises().await[0].link_id;
    assert_spent(platform.asks_for_letter(link).await);
    // The refusal has not spent the link.
    platform.changes("UPDATE users SET status = 'active'").await;
    platform.resets(&letter.token, NEW).await.expect(204);
}

#[tokio::test]
async fn an_address_that_is_none_is_a_fault_and_reaches_no_letter() {
    let platform = Platform::start();
    platform.student("ada").await;
    for email in ["ada@example.org\r\nBcc: eve@evil.test", "x", "", "a@b.c\0"] {
        let named = ("#/email".to_owned(), "malformed_email".to_owned());
        assert_eq!(fault(platform.forgets(email).await), named, "{email:?}");
    }
    assert!(platform.promises().await.is_empty());
}

#[tokio::test]
async fn what_the_host_header_says_reaches_no_letter() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let ask = platform.client().post("/auth/forgot-password");
    let ask = ask
        .header("host", "evil.test")
        .header("x-forwarded-host", "evil.test")
        .header("forwarded", "host=evil.test");
    let body = json!({"email": ada.email});
    ask.json(&body).send().await.expect(202);
    let link = platform.promises().await[0].link_id;
    let letter = platform.asks_for_letter(link).await.expect(200);
    assert!(!letter.text().contains("evil.test"));
    for told in platform.notification.requests() {
        assert!(!String::from_utf8_lossy(&told.body).contains("evil.test"));
    }
}

#[tokio::test]
async fn nobody_but_the_sender_of_mail_gets_a_token() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(&ada.email).await.expect(202);
    let link = platform.promises().await[0].link_id;
    let path = format!("/internal/mailed-links/{link}/token");
    let ask = async |token: String| {
        let request = platform.client().post(&path).bearer(token);
        request.send().await.status
    };
    assert_eq!(ask(platform.app.token_of("course")).await, 403);
    assert_eq!(ask(platform.admin().await.token).await, 403);
    assert_eq!(ask(ada.token).await, 403);
    assert_eq!(ask("abc".to_owned()).await, 401);
    assert_eq!(platform.changes("DELETE FROM mailed_link_tokens").await, 0);
    platform.asks_for_letter(link + 1).await.expect(404);
    platform.asks_for_letter(-1).await.expect(404);
}

#[tokio::test]
async fn a_token_is_in_its_letter_and_nowhere_else() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(&ada.email).await.expect(202);
    let link = platform.promises().await[0].link_id;
    let answer = platform.asks_for_letter(link).await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let letter: MailedLinkToken = answer.json();
    platform.resets(&letter.token, NEW).await.expect(204);
    for told in platform.notification.requests() {
        let body = String::from_utf8_lossy(&told.body).into_owned();
        assert!(!body.contains(&letter.token) && !body.contains("example.org"));
    }
    let plain = format!(
        "DELETE FROM mailed_link_tokens WHERE digest = '{}'",
        letter.token
    );
    assert_eq!(platform.changes(&plain).await, 0);
    assert_eq!(platform.changes("DELETE FROM mailed_link_tokens").await, 1);
    let said = platform.app.captured().lines().join("\n");
    for event in [
        "password.forgotten",
        "mailed_link.token_made",
        "password.reset",
    ] {
        assert!(said.contains(event), "{event} is told");
    }
    for secret in [&letter.token, NEW, "ada@example.org"] {
        assert!(!said.contains(secret));
    }
}

async fn links(database: &impl ConnectionTrait) -> i64 {
    let sql = "SELECT COUNT(*) AS n FROM mailed_links";
    let query = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(query).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

#[tokio::test]
async fn a_link_of_long_ago_gets_no_letter_and_is_forgotten() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    let link = platform.promises().await[0].link_id;
    platform
        .changes("UPDATE mailed_links SET created_at = '2020-01-01T00:00:00.000000Z'")
        .await;
    assert_spent(platform.asks_for_letter(link).await);
    platform.forgets(&ada.email).await.expect(202);
    let database = platform.app.database().connect().await;
    assert_eq!(links(&database).await, 2);

    // Another replica looks when it starts.
    let url = platform.app.database().url().to_owned();
    let replica = spawn::<App>(|settings| settings.platform.database.url = url.as_str().into());
    eventually("forgotten", async || {
        (links(&database).await == 1).then_some(())
    })
    .await;
    drop(replica);
    assert_spent(platform.resets(&letter.token, NEW).await);
    let fresh = platform.letter().await;
    platform.resets(&fresh.token, NEW).await.expect(204);
}

/// The one thing all refusals of a password have in common.
#[tokio::test]
async fn a_dead_link_costs_no_hash() {
    let platform = Platform::with(|settings| {
        settings.service.passwords.concurrency = 1;
        settings.service.passwords.queue = 0;
    });
    let dead = "A".repeat(43);
    let all = (0..40).map(|_| platform.resets(&dead, NEW));
    let answers: Vec<Response> = join_all(all).await;
    // With hashing, all but one at a time were refused with 503.
    answers.into_iter().for_each(assert_spent);
}
