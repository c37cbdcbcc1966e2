//! Opening an account.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::User;
use lyceum_testing::http::Response;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::platform::{PASSWORD, Platform, registration};

async fn accounts(platform: &Platform, folded: &str) -> i64 {
    let database = platform.app.database().connect().await;
    let sql = format!("SELECT COUNT(*) AS n FROM users WHERE email_folded = '{folded}'");
    let query = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(query).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

/// Pointer and code of every fault.
fn faults(answer: &Response) -> Vec<(String, String)> {
    let errors = answer.problem().errors;
    errors
        .into_iter()
        .map(|fault| (fault.pointer, fault.code))
        .collect()
}

#[tokio::test]
async fn whoever_registers_is_a_student_and_is_told_where() {
    let platform = Platform::start();
    let answer = platform.registers("  Ada@Example.org ").await.expect(201);
    let user: User = answer.json();
    assert_eq!(
        (user.email.as_str(), user.role, user.version),
        ("Ada@Example.org", Role::Student, 1)
    );
    assert_eq!(
        answer.header("location"),
        Some(format!("/users/{}", user.id).as_str())
    );
    assert_eq!(answer.header("etag"), Some("\"v1\""));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(!answer.text().contains("password") && !answer.text().contains("argon2"));
}

#[tokio::test]
async fn an_address_has_one_account_in_whatever_case() {
    let platform = Platform::start();
    platform.registers("ada@example.org").await.expect(201);
    for email in ["ada@example.org", "ADA@example.ORG", " Ada@Example.org "] {
        let problem = platform.registers(email).await.expect(409).problem();
        assert_eq!(problem.r#type, "/problems/conflict");
        assert!(!problem.detail.unwrap_or_default().contains('@'));
    }
    assert_eq!(accounts(&platform, "ada@example.org").await, 1);
}

#[tokio::test]
async fn two_hundred_at_once_open_one_account_and_none_fails() {
    // As in production: most find no place to have their password hashed. How a thousand fare at the
    // constraint itself is tested beside the command.
    let platform = Platform::start();
    let body = registration("ada@example.org");
    let all = (0..200).map(|_| platform.registers_with(&body));
    let mut answers = BTreeMap::new();
    for answer in join_all(all).await {
        *answers.entry(answer.status).or_insert(0) += 1;
    }
    // Some may wait for longer than a request or a connection lasts; none may fail.
    assert_eq!(answers.get(&201), Some(&1), "{answers:?}");
    assert!(
        answers.get(&409).is_some_and(|refused| *refused > 10),
        "{answers:?}"
    );
    assert!(answers.contains_key(&503), "{answers:?}");
    assert!(
        answers
            .keys()
            .all(|status| [201, 408, 409, 503].contains(status)),
        "{answers:?}"
    );
    assert_eq!(accounts(&platform, "ada@example.org").await, 1);
    platform.registers("grace@example.org").await.expect(201);
}

#[tokio::test]
async fn every_fault_is_named_in_one_answer_and_no_value_is_repeated() {
    let platform = Platform::start();
    let body = json!({
        "email": "x", "password": "seven77", "full_name": "n".repeat(201), "role": "admin", "is_admin": true,
    });
    let answer = platform.registers_with(&body).await.expect(422);
    let expected = [
        ("#/email", "malformed_email"),
        ("#/password", "too_short"),
        ("#/full_name", "too_long"),
        ("#/role", "unknown_field"),
        ("#/is_admin", "unknown_field"),
    ];
    let named: Vec<_> = expected
        .map(|(pointer, code)| (pointer.to_owned(), code.to_owned()))
        .into();
    let mut found = faults(&answer);
    found.sort();
    let mut named_sorted = named;
    named_sorted.sort();
    assert_eq!(found, named_sorted);
    assert!(!answer.text().contains("seven77"));

    let missing = faults(&platform.registers_with(&json!({})).await.expect(422));
    assert_eq!(missing.len(), 3);
    assert!(
        missing.iter().all(|(_, code)| code == "required"),
        "{missing:?}"
    );
    let wrong = json!({"email": 12, "password": [], "full_name": null});
    let wrong = faults(&platform.registers_with(&wrong).await.expect(422));
    assert!(
        wrong.iter().all(|(_, code)| code == "wrong_type"),
        "{wrong:?}"
    );
}

#[tokio::test]
async fn a_role_cannot_be_asked_for() {
    let platform = Platform::start();
    for field in [
        "role",
        "is_admin",
        "id",
        "created_at",
        "version",
        "password_hash",
    ] {
        let mut body = registration("ada@example.org");
        body[field] = json!("admin");
        let answer = platform.registers_with(&body).await.expect(422);
        assert_eq!(
            faults(&answer),
            [(format!("#/{field}"), "unknown_field".to_owned())]
        );
    }
    assert_eq!(accounts(&platform, "ada@example.org").await, 0);
}

#[tokio::test]
async fn a_password_has_8_to_128_characters_and_is_not_common() {
    let platform = Platform::start();
    let horse = "horse ".repeat(21);
    for (number, (password, status)) in [
        ("zfHq2w!".to_owned(), 422),
        ("password1".to_owned(), 422),
        ("PassWord1".to_owned(), 422),
        ("12345678".to_owned(), 422),
        (format!("{}🐎", " ".repeat(64)), 201),
        (format!("{horse}é🐎"), 201),
        (format!("{horse}é🐎x"), 422),
    ]
    .into_iter()
    .enumerate()
    {
        let body =
            json!({"email": format!("u{number}@b.org"), "password": password, "full_name": "A"});
        platform.registers_with(&body).await.expect(status);
    }
}

#[tokio::test]
async fn the_whole_password_counts() {
    let platform = Platform::start();
    let password = "horse ".repeat(20);
    let body = json!({"email": "ada@example.org", "password": password, "full_name": "Ada"});
    platform.registers_with(&body).await.expect(201);
    platform
        .logs_in("ada@example.org", &password[..72])
        .await
        .expect(401);
    platform
        .logs_in("ada@example.org", password.trim_end())
        .await
        .expect(401);
    platform
        .logs_in("ada@example.org", &password)
        .await
        .expect(200);
}

#[tokio::test]
async fn control_characters_never_pass_and_names_stay_as_sent() {
    let platform = Platform::start();
    for (field, value) in [
        ("email", "a@b.c\r\nBcc: x@y"),
        ("email", "a@b.c\0"),
        ("full_name", "Ada\r\nBcc: x@y"),
        ("full_name", "Ada\0"),
    ] {
        let mut body = registration("ada@example.org");
        body[field] = json!(value);
        platform.registers_with(&body).await.expect(422).problem();
    }
    // The same name, composed and decomposed: neither is turned into the other.
    for (email, name) in [
        ("a@b.org", "Zo\u{eb} <b>{{x}}"),
        ("b@b.org", "Zoe\u{308} ' OR 1=1"),
    ] {
        let body = json!({"email": email, "password": PASSWORD, "full_name": name});
        let user: Value = platform.registers_with(&body).await.expect(201).json();
        assert_eq!(user["full_name"], name);
    }
}
