//! Accounts that are changed, each for itself.

use std::collections::HashSet;

use futures_util::future::join_all;
use lyceum_contracts::bulk::BulkResults;
use lyceum_contracts::event::Event;
use lyceum_contracts::notification::EventBatch;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{AccountStatus, User};
use lyceum_testing::http::Response;
use serde_json::{Value, json};

use super::{BULK, Office, created, faults, invitees, named, statuses};
use crate::platform::PASSWORD;

impl Office {
    async fn changes(&self, items: &[Value]) -> Response {
        let request = self.platform.client().patch(BULK).bearer(&self.admin.token);
        request.json(&json!({ "items": items })).send().await
    }

    async fn invited(&self, count: usize) -> Vec<User> {
        created(
            &self
                .creates("invited", &invitees(0..count))
                .await
                .expect(201),
        )
    }
}

fn users(answer: &Response) -> Vec<Option<User>> {
    let results: BulkResults = answer.json();
    results
        .items
        .into_iter()
        .map(|result| result.user)
        .collect()
}

#[tokio::test]
async fn a_thousand_are_changed_in_the_order_of_the_request_by_one_statement() {
    let office = Office::open().await;
    let mut people = office.invited(1_000).await;
    while office.platform.deliver_pending().await.delivered > 0 {}
    people.reverse();
    let items = people
        .iter()
        .map(|user| json!({"id": user.id, "version": 1, "full_name": format!("New {}", user.id)}));
    let items: Vec<_> = items.collect();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = office
        .platform
        .client()
        .patch(BULK)
        .bearer(&office.admin.token);
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer = request
        .json(&json!({ "items": items }))
        .send()
        .await
        .expect(207);
    assert_eq!(statuses(&answer), [200; 1_000]);
    for (user, before) in users(&answer).into_iter().flatten().zip(&people) {
        assert_eq!((user.id, user.version), (before.id, 2));
        assert_eq!(user.full_name, format!("New {}", user.id));
        assert_eq!(
            (&user.email, user.role, user.status),
            (&before.email, before.role, before.status)
        );
    }
    let one = office.admin.get(&format!("/users/{}", people[7].id)).await;
    assert_eq!(
        one.expect(200).json::<User>(),
        users(&answer)[7].clone().unwrap()
    );
    let spans = office
        .platform
        .app
        .captured()
        .wait_for_spans(trace, 4)
        .await;
    let updates = spans.iter().filter(|span| span.name == "UPDATE users");
    assert_eq!(updates.count(), 1);

    let before = office.platform.notification.requests().len();
    assert_eq!(office.platform.deliver_pending().await.delivered, 1_000);
    let told = office.platform.notification.requests().split_off(before);
    let told = told
        .iter()
        .flat_map(|request| request.json::<EventBatch>().events);
    let told: Vec<_> = told.map(|envelope| envelope.event).collect();
    let expected = people
        .iter()
        .map(|user| Event::UserUpdated { user_id: user.id });
    assert_eq!(told, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn each_change_has_its_outcome_at_its_place() {
    let office = Office::open().await;
    let people = office.invited(6).await;
    let items = [
        json!({"id": people[0].id, "full_name": "New", "role": "instructor"}),
        json!({"id": 999_999, "full_name": "Nobody"}),
        json!({"id": people[1].id, "version": 7, "full_name": "New"}),
        json!({"id": office.admin.id, "role": "student"}),
        json!({"id": people[2].id, "full_name": " ", "role": "king", "status": "deleted", "email": "x@example.org"}),
        json!({"id": people[0].id, "full_name": "Newer"}),
        json!({"id": people[3].id, "version": 1}),
        json!({"id": people[4].id, "full_name": people[4].full_name}),
        json!({"id": 0}),
        json!({"id": people[5].id, "role": null}),
    ];
    let answer = office.changes(&items).await.expect(207);
    assert_eq!(
        statuses(&answer),
        [200, 404, 412, 409, 422, 422, 200, 200, 422, 422]
    );
    let results = answer.json::<BulkResults>().items;
    let found: Vec<_> = results
        .into_iter()
        .map(|result| {
            let mut found = result.problem.map(faults).unwrap_or_default();
            found.sort();
            found
        })
        .collect();
    let expected = [
        named(&[]),
        named(&[("#/items/1/id", "not_found")]),
        named(&[("#/items/2/version", "stale")]),
        named(&[("#/items/3/role", "last_admin")]),
        named(&[
            ("#/items/4/email", "unknown_field"),
            ("#/items/4/full_name", "padded"),
            ("#/items/4/role", "unknown_role"),
            ("#/items/4/status", "unknown_status"),
        ]),
        named(&[("#/items/5/id", "duplicate")]),
        named(&[]),
        named(&[]),
        named(&[("#/items/8/id", "wrong_type")]),
        named(&[("#/items/9/role", "not_nullable")]),
    ];
    assert_eq!(found, expected);
    let users = users(&answer);
    let first = users[0].as_ref().unwrap();
    assert_eq!(
        (first.version, first.role, &*first.full_name),
        (2, Role::Instructor, "New")
    );
    for unchanged in [6, 7] {
        assert_eq!(
            users[unchanged].as_ref().unwrap().version,
            1,
            "nothing has changed"
        );
    }
    assert_eq!(office.admin.account().await.role, Role::Admin);
}

#[tokio::test]
async fn none_or_more_than_a_thousand_are_422_and_only_admins_may() {
    let office = Office::open().await;
    let ada = office.platform.student("ada").await;
    let many = vec![json!({"id": ada.id, "full_name": "New"}); 1_001];
    for items in [&many[..0], &many] {
        let problem = office.changes(items).await.expect(422).problem();
        assert_eq!(faults(problem), named(&[("#/items", "out_of_range")]));
    }
    let request = office.platform.client().patch(BULK).bearer(&ada.token);
    request
        .json(&json!({ "items": &many[..1] }))
        .send()
        .await
        .expect(403);
    assert_eq!(ada.account().await.version, 1);
}

#[tokio::test]
async fn who_is_disabled_is_out_and_who_is_enabled_may_come_back() {
    let office = Office::open().await;
    let (ada, bob) = (
        office.platform.student("ada").await,
        office.platform.student("bob").await,
    );
    let guest = office.invited(1).await.remove(0);
    let disabled = |id| json!({"id": id, "status": "disabled"});
    let items = [disabled(ada.id), disabled(guest.id)];
    let answer = office.changes(&items).await.expect(207);
    assert_eq!(statuses(&answer), [200, 200]);
    for user in users(&answer).into_iter().flatten() {
        assert_eq!((user.status, user.version), (AccountStatus::Disabled, 2));
    }
    office
        .platform
        .refreshes(&ada.refresh_token)
        .await
        .expect(401);
    office
        .platform
        .logs_in(&ada.email, PASSWORD)
        .await
        .expect(401);
    bob.get("/users/me").await.expect(200);
    let again = office.changes(&items).await.expect(207);
    assert!(users(&again).iter().flatten().all(|user| user.version == 2));

    let enabled = |id| json!({"id": id, "status": "active"});
    let items = [enabled(ada.id), enabled(guest.id), enabled(bob.id)];
    let answer = office.changes(&items).await.expect(207);
    let found: Vec<_> = users(&answer)
        .into_iter()
        .flatten()
        .map(|user| (user.status, user.version))
        .collect();
    let expected = [
        (AccountStatus::Active, 3),
        (AccountStatus::Invited, 3),
        (AccountStatus::Active, 1),
    ];
    assert_eq!(found, expected, "who was invited has still to accept");
    office
        .platform
        .logs_in(&ada.email, PASSWORD)
        .await
        .expect(200);
    office
        .platform
        .refreshes(&ada.refresh_token)
        .await
        .expect(401);
    for (action, count) in [("disabled", 2), ("enabled", 2)] {
        let entries = format!(
            "audit_entries WHERE action = '{action}' AND actor_id = {}",
            office.admin.id
        );
        assert_eq!(office.count(&entries).await, count);
    }
}

#[tokio::test]
async fn a_role_counts_at_once_and_tokens_that_name_another_do_not() {
    let office = Office::open().await;
    let (ada, bob) = (
        office.platform.student("ada").await,
        office.platform.student("bob").await,
    );
    let items = [
        json!({"id": ada.id, "role": "instructor"}),
        json!({"id": bob.id, "full_name": "Bob"}),
    ];
    assert_eq!(
        statuses(&office.changes(&items).await.expect(207)),
        [200, 200]
    );
    bob.get("/users/me").await.expect(200);
    let session = office
        .platform
        .refreshes(&ada.refresh_token)
        .await
        .expect(200);
    let token = session
        .json::<lyceum_contracts::user::Session>()
        .access_token;
    let me = office
        .platform
        .client()
        .get("/users/me")
        .bearer(token)
        .send()
        .await;
    assert_eq!(me.expect(200).json::<User>().role, Role::Instructor);
    assert_eq!(
        office
            .count("audit_entries WHERE action = 'role_changed'")
            .await,
        1
    );
}

#[tokio::test]
async fn an_admin_can_be_replaced_and_the_last_one_cannot_go() {
    let office = Office::open().await;
    let ada = office.platform.student("ada").await;
    let promoted = json!({"id": ada.id, "role": "admin"});
    let demoted = json!({"id": office.admin.id, "role": "student"});
    let shut = json!({"id": office.admin.id, "status": "disabled"});
    for leaving in [&demoted, &shut] {
        let answer = office
            .changes(&[leaving.clone(), promoted.clone()])
            .await
            .expect(207);
        assert_eq!(
            statuses(&answer)[0],
            409,
            "when it is its turn there is no other"
        );
        let back = json!({"id": ada.id, "role": "student"});
        assert_eq!(statuses(&office.changes(&[back]).await.expect(207)), [200]);
    }
    let answer = office.changes(&[promoted, demoted]).await.expect(207);
    assert_eq!(statuses(&answer), [200, 200]);
    assert_eq!(
        office
            .count("users WHERE role = 'admin' AND status = 'active'")
            .await,
        1
    );
}

#[tokio::test]
async fn of_admins_who_take_each_other_away_one_is_left() {
    let office = Office::open().await;
    let mut admins = vec![office.admin.id];
    for number in 0..5 {
        admins.push(office.platform.student(&format!("admin-{number}")).await.id);
    }
    let promoted: Vec<_> = admins
        .iter()
        .map(|id| json!({"id": id, "role": "admin"}))
        .collect();
    office.changes(&promoted).await.expect(207);
    // Each takes away all but one, and each another one.
    let requests = admins.iter().map(|kept| {
        let others = admins.iter().filter(move |id| *id != kept);
        let mut items: Vec<_> = others
            .map(|id| json!({"id": id, "role": "student"}))
            .collect();
        if kept.get() % 2 == 0 {
            items.reverse();
        }
        let office = &office;
        async move { office.changes(&items).await }
    });
    for answer in join_all(requests).await {
        // Whoever comes after the admin was taken away may not ask any more.
        assert!(
            [207, 401, 403].contains(&answer.status),
            "{}",
            answer.text()
        );
    }
    assert_eq!(
        office
            .count("users WHERE role = 'admin' AND status = 'active'")
            .await,
        1
    );
}

#[tokio::test]
async fn changes_that_cross_are_all_made_and_none_is_lost() {
    let office = Office::open().await;
    let people = office.invited(120).await;
    let requests = (0..6_usize).map(|turn| {
        let mut items: Vec<_> = people
            .iter()
            .map(|user| json!({"id": user.id, "full_name": format!("Turn {turn}")}))
            .collect();
        items.rotate_left(turn * 19);
        if turn % 2 == 1 {
            items.reverse();
        }
        let office = &office;
        async move { office.changes(&items).await }
    });
    for answer in join_all(requests).await {
        assert_eq!(statuses(&answer.expect(207)), vec![200; 120]);
    }
    let names = office
        .count("users WHERE full_name LIKE 'Turn %' AND version = 7")
        .await;
    assert_eq!(names, 120, "each was changed six times");
    // Of those who saw the same version one changes it.
    let requests = (0..4).map(|turn| {
        let items: Vec<_> = people
            .iter()
            .map(|user| json!({"id": user.id, "version": 7, "full_name": format!("Seen {turn}")}))
            .collect();
        let office = &office;
        async move { office.changes(&items).await }
    });
    let mut won = 0;
    for answer in join_all(requests).await {
        let different: HashSet<_> = statuses(&answer.expect(207)).into_iter().collect();
        assert_eq!(different.len(), 1);
        won += usize::from(different.contains(&200));
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn under_a_key_changes_are_made_once_and_answered_as_before() {
    let office = Office::open().await;
    let people = office.invited(2).await;
    let send = |name: &str| {
        let items: Vec<_> = people
            .iter()
            .map(|user| json!({"id": user.id, "version": 1, "full_name": name}))
            .collect();
        let request = office
            .platform
            .client()
            .patch(BULK)
            .bearer(&office.admin.token);
        request
            .header("idempotency-key", "k")
            .json(&json!({ "items": items }))
            .send()
    };
    let first = send("New").await.expect(207);
    let again = send("New").await.expect(207);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(
        (again.text(), statuses(&again)),
        (first.text(), vec![200, 200])
    );
    send("Newer").await.expect(422);
}
