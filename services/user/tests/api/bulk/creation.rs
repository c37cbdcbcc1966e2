//! Accounts that stand and fall together.

use std::collections::HashSet;

use lyceum_contracts::event::Event;
use lyceum_contracts::notification::EventBatch;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{AccountStatus, User};
use serde_json::json;

use super::{Office, created, faults, invitee, invitees, member, named};
use crate::platform::PASSWORD;

#[tokio::test]
async fn a_thousand_are_invited_in_the_order_of_the_request() {
    let office = Office::open().await;
    assert_eq!(
        office.platform.deliver_pending().await.delivered,
        1,
        "the admin"
    );
    let mut items = invitees(0..1_000);
    items.rotate_left(317);
    items[3]["role"] = json!("instructor");
    let answer = office.creates("k", &items).await.expect(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let users = created(&answer);
    let sent: Vec<_> = items
        .iter()
        .map(|item| item["email"].as_str().unwrap())
        .collect();
    let given: Vec<_> = users.iter().map(|user| user.email.as_str()).collect();
    assert_eq!(given, sent);
    let ids: HashSet<_> = users.iter().map(|user| user.id).collect();
    assert_eq!(ids.len(), 1_000);
    for (index, user) in users.iter().enumerate() {
        let role = if index == 3 {
            Role::Instructor
        } else {
            Role::Student
        };
        assert_eq!((user.role, user.version), (role, 1));
        assert_eq!(user.status, AccountStatus::Invited);
        assert_eq!(user.full_name, items[index]["full_name"]);
    }
    let one = office.admin.get(&format!("/users/{}", users[3].id)).await;
    assert_eq!(one.expect(200).json::<User>(), users[3]);
    assert_eq!(office.accounts().await, 1_000);

    let before = office.platform.notification.requests().len();
    assert_eq!(office.platform.deliver_pending().await.delivered, 1_000);
    let told = office.platform.notification.requests().split_off(before);
    let told = told
        .iter()
        .flat_map(|request| request.json::<EventBatch>().events);
    let mut invited = HashSet::new();
    for envelope in told {
        match envelope.event {
            Event::MailedLinkRequested { user_id, .. } => assert!(invited.insert(user_id)),
            other => panic!("not expected: {other:?}"),
        }
    }
    assert_eq!(invited, ids);
    let invitations = "audit_entries WHERE action = 'invited' AND actor_id = 1";
    assert_eq!(office.count(invitations).await, 1_000);
}

#[tokio::test]
async fn each_table_is_written_by_one_statement_whatever_the_number_of_items() {
    let office = Office::open().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let body = json!({ "items": invitees(0..300) });
    let request = office.request("k").json(&body);
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    request.send().await.expect(201);
    let spans = office
        .platform
        .app
        .captured()
        .wait_for_spans(trace, 7)
        .await;
    let inserts = spans.iter().filter(|span| span.name.starts_with("INSERT"));
    let mut inserts: Vec<_> = inserts.map(|span| span.name.clone()).collect();
    inserts.sort_unstable();
    let expected = [
        "INSERT audit_entries",
        "INSERT idempotency_keys",
        "INSERT mailed_links",
        "INSERT outbox",
        "INSERT users",
    ];
    assert_eq!(inserts, expected);
    let said = format!(
        "{spans:?} {:?}",
        office.platform.app.captured().lines_of(trace)
    );
    assert!(!said.contains("person-7"), "nobody is named");
}

#[tokio::test]
async fn who_comes_with_a_password_signs_in_with_it_and_who_is_invited_cannot() {
    let office = Office::open().await;
    let others: Vec<_> = (0..9)
        .map(|number| format!("quite another password {number}"))
        .collect();
    let mut items: Vec<_> = (0..9)
        .map(|number| member(&format!("m{number}"), &others[number]))
        .collect();
    items.insert(4, invitee("guest"));
    let users = created(&office.creates("k", &items).await.expect(201));
    for (number, password) in others.iter().enumerate() {
        let email = format!("m{number}@example.org");
        office.platform.logs_in(&email, password).await.expect(200);
        let wrong = &others[(number + 1) % others.len()];
        office.platform.logs_in(&email, wrong).await.expect(401);
    }
    let invited = users
        .iter()
        .filter(|user| user.status == AccountStatus::Invited);
    assert_eq!(
        invited.map(|user| &*user.email).collect::<Vec<_>>(),
        ["guest@example.org"]
    );
    for password in ["!", "", PASSWORD] {
        office
            .platform
            .logs_in("guest@example.org", password)
            .await
            .expect(401);
    }
}

#[tokio::test]
async fn with_one_faulty_item_nothing_is_written() {
    let office = Office::open().await;
    let mut items = invitees(0..12);
    items[7]["email"] = json!("nobody");
    let problem = office.creates("k", &items).await.expect(422).problem();
    assert_eq!(problem.r#type, "/problems/validation-error");
    assert_eq!(
        faults(problem),
        named(&[("#/items/7/email", "malformed_email")])
    );
    assert_eq!(office.accounts().await, 0);
    assert_eq!(
        office.count("outbox").await,
        1,
        "of the admin's own account"
    );
    assert_eq!(office.count("idempotency_keys").await, 0);
    items[7] = invitee("mended");
    let users = created(&office.creates("k", &items).await.expect(201));
    assert_eq!(users.len(), 12, "the key is free");
}

#[tokio::test]
async fn every_fault_of_every_item_stands_in_one_answer() {
    let office = Office::open().await;
    office
        .platform
        .registers("taken@example.org")
        .await
        .expect(201);
    let items = [
        invitee("ada"),
        json!({"email": "x", "full_name": " ", "role": "king", "is_admin": true}),
        json!({}),
        json!("ada"),
        json!({"email": "ADA@example.org", "full_name": "Ada"}),
        json!({"email": "Taken@Example.org", "full_name": "Ada"}),
        json!({"email": "chef@example.org", "full_name": "Ada", "role": "admin"}),
        member("bob", "seven77"),
        json!({"email": "cyd@example.org", "full_name": null}),
    ];
    let answer = office.creates("k", &items).await.expect(422);
    assert!(!answer.text().contains("king") && !answer.text().contains("seven77"));
    let mut found = faults(answer.problem());
    let places: Vec<_> = found
        .iter()
        .map(|(pointer, _)| pointer[8..9].to_owned())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    found.sort();
    let expected = named(&[
        ("#/items/1/email", "malformed_email"),
        ("#/items/1/full_name", "padded"),
        ("#/items/1/is_admin", "unknown_field"),
        ("#/items/1/role", "unknown_role"),
        ("#/items/2/email", "required"),
        ("#/items/2/full_name", "required"),
        ("#/items/3", "wrong_type"),
        ("#/items/4/email", "duplicate"),
        ("#/items/5/email", "taken"),
        ("#/items/6/role", "forbidden"),
        ("#/items/7/password", "too_short"),
        ("#/items/8/full_name", "wrong_type"),
    ]);
    assert_eq!(found, expected);
    assert_eq!(office.accounts().await, 1);
}

#[tokio::test]
async fn addresses_that_are_taken_or_stand_twice_are_409_and_each_is_named() {
    let office = Office::open().await;
    for name in ["ada", "bob"] {
        office
            .platform
            .registers(&format!("{name}@example.org"))
            .await
            .expect(201);
    }
    let mut items = invitees(0..6);
    items[1] = json!({"email": " ADA@Example.org ", "full_name": "Ada"});
    items[4] = invitee("bob");
    let problem = office.creates("k", &items).await.expect(409).problem();
    assert_eq!(problem.r#type, "/problems/conflict");
    let taken = [("#/items/1/email", "taken"), ("#/items/4/email", "taken")];
    assert_eq!(faults(problem), named(&taken));

    items[5] = items[0].clone();
    let problem = office.creates("k", &items).await.expect(409).problem();
    let all = [taken[0], taken[1], ("#/items/5/email", "duplicate")];
    assert_eq!(faults(problem), named(&all));
    assert_eq!(office.accounts().await, 2);
}

#[tokio::test]
async fn nobody_is_made_an_admin() {
    let office = Office::open().await;
    let mut items = invitees(0..3);
    items[2]["role"] = json!("admin");
    let problem = office.creates("k", &items).await.expect(403).problem();
    assert_eq!(faults(problem), named(&[("#/items/2/role", "forbidden")]));
    assert_eq!(office.accounts().await, 0);
}
