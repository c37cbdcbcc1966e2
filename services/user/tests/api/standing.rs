//! Accounts that are shut, opened again and deleted.

use lyceum_contracts::event::Event;
use lyceum_contracts::notification::EventBatch;
use lyceum_contracts::user::{AccountStatus, AdminUser};
use lyceum_testing::peer::Received;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::platform::{PASSWORD, Person, Platform};

/// Everything the notification service was told, in order.
fn told(platform: &Platform) -> Vec<Event> {
    let requests = platform.notification.requests();
    let batches = requests.iter().map(Received::json::<EventBatch>);
    let envelopes = batches.flat_map(|batch| batch.events);
    envelopes.map(|envelope| envelope.event).collect()
}

/// How many accounts fulfil `condition`.
async fn accounts_where(platform: &Platform, condition: &str) -> i64 {
    let database = platform.app.database().connect().await;
    let sql = format!("SELECT COUNT(*) AS n FROM users WHERE {condition}");
    let query = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(query).await.unwrap().unwrap();
    row.try_get("", "n").unwrap()
}

async fn active_admins(platform: &Platform) -> i64 {
    accounts_where(platform, "role = 'admin' AND status = 'active'").await
}

/// How many accounts hold `text` in any column it could be in.
async fn accounts_with(platform: &Platform, text: &str) -> i64 {
    let columns = "email || email_folded || full_name || password_hash";
    accounts_where(platform, &format!("{columns} LIKE '%{text}%'")).await
}

/// A second admin, signed in as one.
async fn second_admin(platform: &Platform) -> Person {
    let grace = platform.student("grace").await;
    let admin = platform.admin().await;
    let patch = json!({"role": "admin"});
    admin.patches(grace.id, &patch).await.expect(200);
    platform.signs_in(&grace.email, PASSWORD).await
}

#[tokio::test]
async fn who_is_disabled_neither_signs_in_nor_goes_on_and_is_told_what_anybody_is() {
    let platform = Platform::start();
    let (ada, admin) = (platform.student("ada").await, platform.admin().await);
    let shut: AdminUser = admin.disables(ada.id).await.expect(200).json();
    assert_eq!((shut.status, shut.version), (AccountStatus::Disabled, 2));

    let refused = platform.logs_in(&ada.email, PASSWORD).await.expect(401);
    let wrong = platform.logs_in(&ada.email, "wrong").await.expect(401);
    let (refused, wrong) = (refused.problem(), wrong.problem());
    assert_eq!(
        (refused.r#type, refused.title, refused.detail),
        (wrong.r#type, wrong.title, wrong.detail)
    );
    platform.refreshes(&ada.refresh_token).await.expect(401);
    platform.registers(&ada.email).await.expect(409);

    let open: AdminUser = admin.enables(ada.id).await.expect(200).json();
    assert_eq!((open.status, open.version), (AccountStatus::Active, 3));
    platform.logs_in(&ada.email, PASSWORD).await.expect(200);
    // What was ended stays so.
    platform.refreshes(&ada.refresh_token).await.expect(401);
}

#[tokio::test]
async fn disabling_and_enabling_twice_is_as_good_as_once() {
    let platform = Platform::start();
    let (ada, admin) = (platform.student("ada").await, platform.admin().await);
    for (answers, version) in [
        (
            [admin.disables(ada.id).await, admin.disables(ada.id).await],
            2,
        ),
        (
            [admin.enables(ada.id).await, admin.enables(ada.id).await],
            3,
        ),
    ] {
        for answer in answers {
            let account: AdminUser = answer.expect(200).json();
            assert_eq!(account.version, version);
        }
    }
    let nobody = 999_999.try_into().unwrap();
    admin.disables(nobody).await.expect(404).problem();
    admin.enables(nobody).await.expect(404).problem();
}

#[tokio::test]
async fn of_who_is_deleted_nothing_personal_is_left_and_no_route_knows_them() {
    let platform = Platform::start();
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    let admin = platform.admin().await;
    ada.deletes_account(ada.id).await.expect(204);

    assert_eq!(accounts_with(&platform, "ada@").await, 0);
    assert_eq!(accounts_with(&platform, "Lovelace").await, 1, "Bob's");
    let path = format!("/users/{}", ada.id);
    for person in [&bob, &admin] {
        person.get(&path).await.expect(404).problem();
    }
    let name = json!({"full_name": "Ada"});
    admin.patches(ada.id, &name).await.expect(404).problem();
    admin.disables(ada.id).await.expect(404).problem();
    admin.deletes_account(ada.id).await.expect(404).problem();
    let all: Value = admin.get("/users").await.expect(200).json();
    let all = all["items"].as_array().unwrap();
    assert!(all.iter().all(|user| user["id"] != json!(ada.id)));
    let body = json!({"ids": [ada.id]});
    let request = platform.client().post("/internal/users/lookup").json(&body);
    let request = request.bearer(platform.app.token_of("course"));
    let contacts: Value = request.send().await.expect(200).json();
    assert_eq!(contacts["items"], json!([]));
}

#[tokio::test]
async fn who_is_deleted_is_out_and_their_address_is_free() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    ada.deletes_account(ada.id).await.expect(204);
    ada.get("/users/me").await.expect(401).problem();
    platform.refreshes(&ada.refresh_token).await.expect(401);
    platform.logs_in(&ada.email, PASSWORD).await.expect(401);
    let again = platform.student("ada").await;
    assert!(again.id > ada.id, "a new person with a new id");
    again.deletes_account(again.id).await.expect(204);
}

#[tokio::test]
async fn a_deletion_and_a_change_are_told_in_their_commit_and_a_refused_one_is_not() {
    let platform = Platform::with(|settings| settings.service.admin.email.clear());
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    let name = json!({"full_name": "Ada King"});
    ada.patches(ada.id, &name).await.expect(200);
    ada.patches(ada.id, &name).await.expect(200);
    bob.deletes_account(ada.id).await.expect(404);
    ada.deletes_account_seen(ada.id, "\"v1\"").await.expect(412);
    ada.deletes_account(ada.id).await.expect(204);
    assert_eq!(platform.deliver_pending().await.delivered, 4);
    let (ada, bob) = (ada.id, bob.id);
    assert_eq!(
        told(&platform),
        [
            Event::UserRegistered { user_id: ada },
            Event::UserRegistered { user_id: bob },
            Event::UserUpdated { user_id: ada },
            Event::UserDeleted { user_id: ada },
        ]
    );
}

#[tokio::test]
async fn a_deletion_needs_the_version_it_is_about() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let path = format!("/users/{}", ada.id);
    let request = ada.client.request("DELETE".parse().unwrap(), &path);
    request
        .bearer(&ada.token)
        .send()
        .await
        .expect(428)
        .problem();
    ada.deletes_account_seen(ada.id, "\"v2\"")
        .await
        .expect(412)
        .problem();
    ada.deletes_account_seen(ada.id, "\"v1\"").await.expect(204);
}

#[tokio::test]
async fn the_last_active_admin_can_neither_be_demoted_nor_disabled_nor_deleted() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let student = json!({"role": "student"});
    let refused = async |admin: &Person| {
        for answer in [
            admin.patches(admin.id, &student).await,
            admin.disables(admin.id).await,
            admin.deletes_account(admin.id).await,
        ] {
            let problem = answer.expect(409).problem();
            assert_eq!(problem.r#type, "/problems/conflict");
            assert!(problem.detail.unwrap().contains("last active admin"));
        }
    };
    refused(&admin).await;
    assert_eq!(admin.account().await.version, 1);

    // A disabled admin runs nothing, so the other one is the last again.
    let grace = second_admin(&platform).await;
    admin.disables(grace.id).await.expect(200);
    refused(&admin).await;
    admin.enables(grace.id).await.expect(200);
    admin.deletes_account(admin.id).await.expect(204);
    let grace = platform.signs_in(&grace.email, PASSWORD).await;
    refused(&grace).await;
}

#[tokio::test]
async fn of_two_admins_who_leave_at_once_one_stays() {
    for round in 0..6 {
        let platform = Platform::start();
        let (ada, grace) = (platform.admin().await, second_admin(&platform).await);
        let student = json!({"role": "student"});
        let leaves = async |person: &Person| match round % 3 {
            0 => person.patches(person.id, &student).await,
            1 => person.disables(person.id).await,
            _ => person.deletes_account(person.id).await,
        };
        let (first, second) = tokio::join!(leaves(&ada), leaves(&grace));
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert!(
            matches!(statuses, [200 | 204, 409]),
            "{round}: {statuses:?}"
        );
        assert_eq!(active_admins(&platform).await, 1, "{round}");
    }
}

#[tokio::test]
async fn of_two_admins_who_demote_each_other_at_once_one_stays() {
    for round in 0..4 {
        let platform = Platform::start();
        let (ada, grace) = (platform.admin().await, second_admin(&platform).await);
        let student = json!({"role": "student"});
        let (first, second) = tokio::join!(
            ada.patches(grace.id, &student),
            grace.patches(ada.id, &student)
        );
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        // The second is told why, unless the first has taken their token away by then.
        assert!(
            matches!(statuses, [200, 401 | 403 | 409]),
            "{round}: {statuses:?}"
        );
        assert_eq!(active_admins(&platform).await, 1, "{round}");
    }
}
