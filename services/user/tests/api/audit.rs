//! Security events, as admins read them.

use lyceum_contracts::audit::{Action, AuditEntry};
use lyceum_contracts::bulk::CreatedUsers;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::page::Page;
use lyceum_testing::http::Response;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::platform::{ADMIN, PASSWORD, Person, Platform};
use crate::sessions::session;

fn entries(answer: &Response) -> Vec<AuditEntry> {
    answer.json::<Page<AuditEntry>>().items
}

/// What happened, newest first: the action, who did it, to whom.
async fn read(admin: &Person, query: &str) -> Vec<(Action, Option<UserId>, Option<UserId>)> {
    let answer = admin.get(&format!("/audit?{query}")).await.expect(200);
    let told = |entry: AuditEntry| (entry.action, entry.actor_id, entry.subject_id);
    entries(&answer).into_iter().map(told).collect()
}

#[tokio::test]
async fn logins_and_failures_are_told_newest_first_by_ids_alone() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.logs_in(&ada.email, "wrong").await.expect(401);
    platform
        .logs_in("nobody@example.org", "wrong")
        .await
        .expect(401);
    let admin = platform.admin().await;
    let of = |person: &Person| Some(person.id);
    let expected = [
        (Action::Login, of(&admin), of(&admin)),
        (Action::LoginFailed, None, None),
        (Action::LoginFailed, None, of(&ada)),
        (Action::Login, of(&ada), of(&ada)),
    ];
    assert_eq!(read(&admin, "").await, expected);

    let told: Value = admin.get("/audit").await.expect(200).json();
    let mut members: Vec<_> = told["items"][0].as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["action", "actor_id", "at", "id", "subject_id"]);
}

#[tokio::test]
async fn the_log_is_filtered_by_person_action_and_time() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.student("bob").await;
    platform.logs_in(&ada.email, "wrong").await.expect(401);
    let admin = platform.admin().await;
    let ada_id = Some(ada.id);
    let hers = [
        (Action::LoginFailed, None, ada_id),
        (Action::Login, ada_id, ada_id),
    ];
    assert_eq!(read(&admin, &format!("user_id={}", ada.id)).await, hers);
    let failed = format!("user_id={}&action=login_failed", ada.id);
    assert_eq!(read(&admin, &failed).await, hers[..1]);
    assert_eq!(read(&admin, "action=keys_rotated").await, []);

    let all = entries(&admin.get("/audit").await);
    let from = all[1].at.format(&Rfc3339).unwrap();
    assert_eq!(read(&admin, &format!("since={from}")).await.len(), 2);
    let before_time = "since=0000-01-01T00:00:00%2B23:59";
    assert_eq!(read(&admin, before_time).await.len(), all.len());
    assert_eq!(read(&admin, "since=2999-01-01T00:00:00Z").await, []);
}

#[tokio::test]
async fn a_cursor_walks_over_the_whole_log_once_and_keeps_its_filters() {
    let platform = Platform::start();
    for _ in 0..5 {
        platform.logs_in(ADMIN, "wrong").await.expect(401);
    }
    let admin = platform.admin().await;
    let mut path = "/audit?action=login_failed&limit=2".to_owned();
    let mut walked = Vec::new();
    loop {
        let answer = admin.get(&path).await.expect(200);
        walked.extend(entries(&answer).into_iter().map(|entry| entry.id));
        let link = answer.header("link");
        let Some(link) = link.filter(|link| link.contains("rel=\"next\"")) else {
            break;
        };
        let (next, _) = link.trim_start_matches('<').split_once('>').unwrap();
        next.clone_into(&mut path);
        // What happens meanwhile is newer and moves nothing.
        platform.logs_in(ADMIN, "wrong").await.expect(401);
    }
    assert_eq!(walked.len(), 5);
    assert!(
        walked.is_sorted_by(|newer, older| newer > older),
        "{walked:?}"
    );
}

#[tokio::test]
async fn a_filter_that_cannot_be_is_named() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    for (query, pointer) in [
        ("user_id=abc", "?user_id"),
        ("user_id=0", "?user_id"),
        ("user_id=1%27%20OR%20%271%27=%271", "?user_id"),
        ("action=logout", "?action"),
        ("since=yesterday", "?since"),
        ("since=9999-12-31T23:59:59-23:59", "?since"),
        ("limit=0", "?limit"),
        ("address=10.0.0.1", "?address"),
    ] {
        let answer = admin.get(&format!("/audit?{query}")).await.expect(422);
        let problem = answer.problem();
        let pointers: Vec<_> = problem.errors.iter().map(|fault| &fault.pointer).collect();
        assert_eq!(pointers, [pointer], "{query}");
    }
}

#[tokio::test]
async fn the_log_knows_no_address_no_device_and_no_secret() {
    let platform = Platform::start();
    let login = json!({"email": "admin@lyceum.test", "password": "opensesame"});
    let request = platform.client().post("/auth/login").json(&login);
    request
        .header("user-agent", "curious/1.0")
        .send()
        .await
        .expect(401);
    platform
        .logs_in("countess@lovelace.example", PASSWORD)
        .await
        .expect(401);
    let told = platform
        .admin()
        .await
        .get("/audit")
        .await
        .expect(200)
        .text();
    for private in ["@", "127.0.0.1", "curious", "opensesame", "countess"] {
        assert!(!told.contains(private), "{private}: {told}");
    }
}

/// Has something of this kind happen; by whom and about whom that was.
async fn provoke(
    action: Action,
    platform: &Platform,
    admin: &Person,
) -> (Option<UserId>, Option<UserId>) {
    const NEW: &str = "a heron on one leg";
    let ada = platform.student(action.as_str()).await;
    let (a, by_admin) = (Some(ada.id), (Some(admin.id), Some(ada.id)));
    match action {
        Action::Login => {
            platform.logs_in(&ada.email, PASSWORD).await.expect(200);
            (a, a)
        }
        Action::LoginFailed => {
            platform.logs_in(&ada.email, "wrong").await.expect(401);
            (None, a)
        }
        Action::PasswordChanged => {
            ada.changes_password(PASSWORD, NEW).await.expect(204);
            (a, a)
        }
        Action::PasswordReset => {
            platform.forgets(&ada.email).await.expect(202);
            let letter = platform.letter().await;
            platform.resets(&letter.token, NEW).await.expect(204);
            (None, a)
        }
        Action::EmailChanged => {
            let answer = ada.changes_email("ada@elsewhere.example", PASSWORD).await;
            answer.expect(202);
            let letter = platform.letter().await;
            platform.confirms(&letter.token).await.expect(204);
            (None, a)
        }
        Action::RoleChanged => {
            let role = json!({"role": "instructor"});
            admin.patches(ada.id, &role).await.expect(200);
            by_admin
        }
        Action::Disabled => {
            admin.disables(ada.id).await.expect(200);
            by_admin
        }
        Action::Enabled => {
            admin.disables(ada.id).await.expect(200);
            admin.enables(ada.id).await.expect(200);
            by_admin
        }
        Action::Deleted => {
            ada.deletes_account(ada.id).await.expect(204);
            (a, a)
        }
        Action::SessionEnded => {
            platform.logs_out(&ada.refresh_token).await.expect(204);
            (a, a)
        }
        Action::SessionsEnded => {
            ada.deletes("/sessions").await.expect(204);
            (a, a)
        }
        Action::TokenReplayed => {
            let second = session(platform.refreshes(&ada.refresh_token).await);
            session(platform.refreshes(&second.refresh_token).await);
            platform.refreshes(&ada.refresh_token).await.expect(401);
            (None, a)
        }
        Action::KeysRotated => {
            platform.rotates_keys().await;
            (None, None)
        }
        Action::Invited => {
            let people = json!({"items": [{"email": "eve@example.org", "full_name": "Eve"}]});
            let request = platform.client().post("/users/bulk").bearer(&admin.token);
            let request = request.header("idempotency-key", "invitation");
            let invited: CreatedUsers = request.json(&people).send().await.expect(201).json();
            (Some(admin.id), Some(invited.items[0].id))
        }
    }
}

#[tokio::test]
async fn every_action_leaves_its_entry() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    for action in Action::ALL.iter().copied() {
        let (actor, subject) = provoke(action, &platform, &admin).await;
        let kept = read(&admin, &format!("action={action}&limit=1")).await;
        assert_eq!(kept, [(action, actor, subject)]);
    }
}
