//! The first admin, from the settings.

use lyceum_contracts::role::Role;
use lyceum_contracts::user::User;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::spawn::spawn;
use lyceum_user::App;
use lyceum_user::settings::DEVELOPMENT_ADMIN_PASSWORD;
use serde_json::json;

use crate::platform::{ADMIN, PASSWORD, Platform};

#[tokio::test]
async fn the_first_admin_of_the_settings_can_sign_in() {
    let platform = Platform::start();
    let admin = platform.admin().await.account().await;
    assert_eq!(
        (admin.role, admin.full_name.as_str()),
        (Role::Admin, "Lyceum Admin")
    );
}

#[tokio::test]
async fn without_an_address_there_is_none() {
    let platform = Platform::with(|settings| settings.service.admin.email.clear());
    platform
        .logs_in(ADMIN, DEVELOPMENT_ADMIN_PASSWORD)
        .await
        .expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_make_one() {
    let database = TestDatabase::create();
    let replicas: Vec<_> = (0..3)
        .map(|_| {
            let url = database.url().to_owned();
            tokio::task::spawn_blocking(move || {
                spawn::<App>(|settings| settings.platform.database.url = url.as_str().into())
            })
        })
        .collect();
    let mut ids = Vec::new();
    for replica in replicas {
        let app = replica.await.unwrap();
        let body = json!({"email": ADMIN, "password": DEVELOPMENT_ADMIN_PASSWORD});
        let session: serde_json::Value = app
            .client()
            .post("/auth/login")
            .json(&body)
            .send()
            .await
            .expect(200)
            .json();
        let token = session["access_token"].as_str().unwrap();
        let me = app.client().get("/users/me").bearer(token).send().await;
        ids.push(me.expect(200).json::<User>().id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn a_second_start_leaves_the_account_as_it_is() {
    let database = TestDatabase::create();
    let start = |password: &'static str| {
        spawn::<App>(|settings| {
            settings.platform.database.url = database.url().into();
            settings.service.admin.password = password.into();
        })
    };
    let log_in = async |password: &str| {
        let app = start("another password of ours");
        let body = json!({"email": ADMIN, "password": password});
        app.client()
            .post("/auth/login")
            .json(&body)
            .send()
            .await
            .status
    };
    drop(start(PASSWORD));
    assert_eq!(log_in(PASSWORD).await, 200);
    assert_eq!(log_in("another password of ours").await, 401);
}

#[tokio::test]
async fn whoever_took_the_address_before_does_not_become_an_admin() {
    let database = TestDatabase::create();
    let start = |email: &'static str| {
        spawn::<App>(|settings| {
            settings.platform.database.url = database.url().into();
            settings.service.admin.email = email.to_owned();
        })
    };
    let body = json!({"email": ADMIN, "password": PASSWORD, "full_name": "Eve"});
    let app = start("");
    app.client()
        .post("/users")
        .json(&body)
        .send()
        .await
        .expect(201);
    drop(app);
    let app = start(ADMIN);
    let body = json!({"email": ADMIN, "password": PASSWORD});
    let session: serde_json::Value = app
        .client()
        .post("/auth/login")
        .json(&body)
        .send()
        .await
        .expect(200)
        .json();
    let token = session["access_token"].as_str().unwrap();
    let me: User = app
        .client()
        .get("/users/me")
        .bearer(token)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(me.role, Role::Student);
}
