//! A process that dies between the commit and the reply.

use lyceum_contracts::user::Session;
use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::http::{Client, Response};
use lyceum_testing::process::Process;
use lyceum_user::settings::DEVELOPMENT_ADMIN_PASSWORD;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{BULK, count, created, invitees};
use crate::platform::ADMIN;

fn start(database: &TestDatabase) -> Process {
    Process::service(env!("CARGO_BIN_EXE_lyceum-user"))
        .setting("database.url", database.url())
        .setting("database.min_connections", 0)
        .setting("outbox.relay", false)
        .start()
}

async fn client(process: &Process) -> Client {
    Client::new(process.ports(PATIENCE).await.api_url())
}

async fn token(client: &Client) -> String {
    let body = json!({"email": ADMIN, "password": DEVELOPMENT_ADMIN_PASSWORD});
    let session = client.post("/auth/login").json(&body).send().await;
    session.expect(200).json::<Session>().access_token
}

async fn create(client: &Client, token: &str, items: &[Value]) -> Result<Response, String> {
    let request = client
        .post(BULK)
        .bearer(token)
        .header("idempotency-key", "k");
    request.json(&json!({ "items": items })).try_send().await
}

#[tokio::test]
async fn killed_after_the_commit_a_repeat_under_the_key_is_answered_and_has_no_effect() {
    let database = TestDatabase::create();
    let mut process = start(&database);
    let api = client(&process).await;
    let token = token(&api).await;
    let items = invitees(0..1_000);
    let rows = database.connect().await;
    // Nobody listens for the reply: the process dies as soon as the commit is seen.
    let committed = async {
        while count(&rows, "users").await < 1_001 {
            tokio::task::yield_now().await;
        }
        process.kill9().await;
    };
    let (_, killed) = tokio::join!(create(&api, &token, &items), timeout(PATIENCE, committed));
    killed.expect("it commits");

    let process = start(&database);
    let api = client(&process).await;
    let answer = create(&api, &token, &items).await.unwrap().expect(201);
    assert_eq!(answer.header("idempotent-replayed"), Some("true"));
    assert_eq!(created(&answer).len(), 1_000);
    assert_eq!(count(&rows, "users").await, 1_001);
    assert_eq!(count(&rows, "mailed_links").await, 1_000);
    assert_eq!(count(&rows, "outbox").await, 1_001);
}

#[tokio::test]
async fn killed_at_whatever_moment_there_is_one_effect_after_the_repeat() {
    let database = TestDatabase::create();
    let items = invitees(0..500);
    let mut token_of_admin = None;
    for turn in 0..5 {
        let mut process = start(&database);
        let api = client(&process).await;
        let token = match &token_of_admin {
            Some(token) => token,
            None => token_of_admin.insert(token(&api).await),
        };
        // Later each time: before the body is read, while it is, before the commit, after it.
        let moment = std::time::Duration::from_millis(turn * 12);
        let cut = timeout(moment, create(&api, token, &items)).await;
        process.kill9().await;
        drop(cut);
    }
    let process = start(&database);
    let api = client(&process).await;
    let token = token_of_admin.unwrap();
    let answer = create(&api, &token, &items).await.unwrap().expect(201);
    let again = create(&api, &token, &items).await.unwrap().expect(201);
    assert_eq!(again.text(), answer.text());
    let rows = database.connect().await;
    assert_eq!(count(&rows, "users").await, 501);
    assert_eq!(count(&rows, "mailed_links").await, 500);
    assert_eq!(count(&rows, "outbox").await, 501);
}
