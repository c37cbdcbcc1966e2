//! Reading and changing an account.

use lyceum_contracts::role::Role;
use lyceum_contracts::user::User;
use serde_json::{Value, json};

use crate::platform::{Person, Platform};

#[tokio::test]
async fn an_owner_sees_all_of_an_account_and_others_the_name() {
    let platform = Platform::start();
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    let path = format!("/users/{}", ada.id);
    let own = ada.get(&path).await.expect(200);
    assert_eq!(own.header("etag"), Some("\"v1\""));
    assert_eq!(own.json::<User>(), ada.account().await);
    let administered: User = platform.admin().await.get(&path).await.expect(200).json();
    assert_eq!(administered, ada.account().await);

    // An admin sees what its owner does not: when it last changed.
    let administered: Value = platform.admin().await.get(&path).await.expect(200).json();
    assert!(administered["updated_at"].is_string());
    assert!(own.json::<Value>().get("updated_at").is_none());

    let seen = bob.get(&path).await.expect(200);
    assert_eq!(
        seen.json::<Value>(),
        json!({"id": ada.id, "full_name": "Ada Lovelace"})
    );
    assert_eq!(seen.header("etag"), None);
}

#[tokio::test]
async fn whatever_is_not_an_id_names_nothing() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let mut answers = Vec::new();
    for id in [
        "999999",
        "abc",
        "0",
        "-1",
        "01",
        "1.0",
        "%2e%2e%2f1",
        "1'%20OR%20'1'='1",
        "9223372036854775808",
        "18446744073709551616",
        "%00",
        "%ff",
    ] {
        for path in [format!("/users/{id}"), format!("/users/{id}/overview")] {
            let problem = ada.get(&path).await.expect(404).problem();
            answers.push((problem.r#type, problem.title, problem.detail));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_change_needs_the_version_it_is_about() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let path = format!("/users/{}", ada.id);
    let patch = json!({"full_name": "Ada King"});

    let without = ada
        .client
        .patch(&path)
        .bearer(&ada.token)
        .json(&patch)
        .send()
        .await;
    assert_eq!(
        without.expect(428).problem().r#type,
        "/problems/precondition-required"
    );
    for stale in ["\"v2\"", "\"v0\"", "\"1\"", "W/\"v1\"", "v1", "\"\""] {
        let problem = ada
            .patches_seen(ada.id, stale, &patch)
            .await
            .expect(412)
            .problem();
        assert_eq!(problem.r#type, "/problems/precondition-failed", "{stale}");
    }
    assert_eq!(ada.account().await.full_name, "Ada Lovelace");

    let changed = ada.patches_seen(ada.id, "\"v1\"", &patch).await.expect(200);
    assert_eq!(changed.header("etag"), Some("\"v2\""));
    let user: User = changed.json();
    assert_eq!((user.full_name.as_str(), user.version), ("Ada King", 2));
    ada.patches_seen(ada.id, "\"v1\"", &patch).await.expect(412);
    let again = ada
        .patches_seen(ada.id, "*", &json!({"full_name": "Ada"}))
        .await
        .expect(200);
    assert_eq!(again.header("etag"), Some("\"v3\""));
    assert_eq!(ada.account().await.full_name, "Ada");
}

#[tokio::test]
async fn a_change_that_changes_nothing_leaves_the_version() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    for patch in [json!({}), json!({"full_name": "Ada Lovelace"})] {
        let answer = ada.patches(ada.id, &patch).await.expect(200);
        assert_eq!(answer.header("etag"), Some("\"v1\""), "{patch}");
    }
}

#[tokio::test]
async fn of_two_changes_of_one_version_the_first_counts() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let names = ["A", "B", "C", "D", "E", "F", "G", "H"];
    let patches = names.map(|name| json!({"full_name": name}));
    let all = patches
        .iter()
        .map(|patch| ada.patches_seen(ada.id, "\"v1\"", patch));
    let answers = futures_util::future::join_all(all).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    assert_eq!(ada.account().await.version, 2);
}

#[tokio::test]
async fn what_is_not_a_field_of_the_change_is_refused_and_changes_nothing() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let before = ada.account().await;
    for (patch, code) in [
        (json!({"is_admin": true}), "unknown_field"),
        (json!({"id": 9}), "unknown_field"),
        (
            json!({"created_at": "2020-01-01T00:00:00Z"}),
            "unknown_field",
        ),
        (json!({"email": "eve@example.org"}), "unknown_field"),
        (json!({"full_name": null}), "not_nullable"),
        (json!({"full_name": 7}), "wrong_type"),
        (json!({"full_name": "a\nb"}), "control_character"),
        (json!({"full_name": "n".repeat(201)}), "too_long"),
        (json!({"role": "root"}), "unknown_role"),
    ] {
        let problem = ada.patches(ada.id, &patch).await.expect(422).problem();
        assert_eq!(problem.errors.len(), 1, "{patch}");
        assert_eq!(problem.errors[0].code, code, "{patch}");
    }
    assert_eq!(ada.account().await, before);
}

#[tokio::test]
async fn a_merge_patch_may_call_itself_one() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let request = ada
        .client
        .patch(&format!("/users/{}", ada.id))
        .bearer(&ada.token);
    let body = r#"{"full_name":"Ada King"}"#;
    let request = request
        .header("if-match", "*")
        .body(body, "application/merge-patch+json");
    request.send().await.expect(200);
}

#[tokio::test]
async fn nobody_raises_their_own_role() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    for role in ["admin", "instructor", "student"] {
        let patch = json!({"full_name": "Eve", "role": role});
        let problem = ada.patches(ada.id, &patch).await.expect(403).problem();
        assert_eq!(problem.r#type, "/problems/forbidden");
    }
    let account = ada.account().await;
    assert_eq!((account.role, account.version), (Role::Student, 1));
    assert_eq!(account.full_name, "Ada Lovelace");
}

#[tokio::test]
async fn an_admin_changes_roles_and_the_next_token_has_the_new_one() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let admin = platform.admin().await;
    let answer = admin
        .patches(ada.id, &json!({"role": "admin"}))
        .await
        .expect(200);
    assert_eq!(answer.json::<User>().role, Role::Admin);
    ada.get("/users").await.expect(401);
    let session: Value = platform
        .refreshes(&ada.refresh_token)
        .await
        .expect(200)
        .json();
    let token = session["access_token"].as_str().unwrap();
    ada.client
        .get("/users")
        .bearer(token)
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn somebody_elses_account_cannot_be_changed_or_told_from_a_missing_one() {
    let platform = Platform::start();
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    let before = ada.account().await;
    for patch in [json!({"full_name": "Eve"}), json!({"role": "admin"})] {
        let theirs = bob.patches(ada.id, &patch).await.expect(404).problem();
        let nobodys = bob
            .patches(999_999.try_into().unwrap(), &patch)
            .await
            .expect(404)
            .problem();
        assert_eq!(
            (theirs.title, theirs.detail),
            (nobodys.title, nobodys.detail)
        );
    }
    assert_eq!(ada.account().await, before);
}

#[tokio::test]
async fn who_has_the_account_as_it_is_gets_304_and_no_body_and_after_a_change_all_of_it() {
    let platform = Platform::start();
    let (ada, admin) = (platform.student("ada").await, platform.admin().await);
    let path = format!("/users/{}", ada.id);
    let gets = async |person: &Person, path: &str, tag: &str| {
        let request = person.client.get(path).bearer(&person.token);
        request.header("if-none-match", tag).send().await
    };
    for (person, path) in [(&ada, path.as_str()), (&ada, "/users/me"), (&admin, &path)] {
        let answer = gets(person, path, "\"v1\"").await.expect(304);
        assert_eq!(answer.text(), "");
        assert_eq!(answer.header("etag"), Some("\"v1\""));
        assert_eq!(answer.header("content-type"), None);
        gets(person, path, "W/\"v1\"").await.expect(304);
        gets(person, path, "\"v2\"").await.expect(200);
    }
    let name = json!({"full_name": "Ada King"});
    ada.patches(ada.id, &name).await.expect(200);
    for (person, path) in [(&ada, path.as_str()), (&ada, "/users/me"), (&admin, &path)] {
        let answer = gets(person, path, "\"v1\"").await.expect(200);
        assert_eq!(answer.header("etag"), Some("\"v2\""));
        assert_eq!(answer.json::<User>().full_name, "Ada King");
    }
    // A profile has no version that anybody could hold.
    let bob = platform.student("bob").await;
    gets(&bob, &path, "*").await.expect(200);
}
