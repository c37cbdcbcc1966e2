//! Who is there before the load begins, made through the API as anybody would.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, query_scalar};

use crate::platform::Platform;

/// Who asks; each has a token of its own.
const PEOPLE: usize = 100;
/// Who is there besides, in batches of a thousand.
const BATCHES: usize = 9;
const COURSES: usize = 3;
const PASSWORD: &str = "a heron on one leg";
/// Everybody is told of within this.
const DRAINED: Duration = Duration::from_mins(1);

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) token: String,
}

/// Everybody who asks.
pub(crate) struct Everybody {
    pub(crate) admin: Person,
    pub(crate) people: Vec<Person>,
}

/// So many people with passwords and signed in, each in some courses, and some thousand invited.
pub(crate) async fn seed(platform: &Platform) -> Result<Everybody> {
    let client = Client::new();
    let user = format!("http://127.0.0.1:{}", platform.user.port);
    let course = format!("http://127.0.0.1:{}", platform.course.port);
    let admin = sign_in(
        &client,
        &user,
        "admin@lyceum.test",
        "lyceum-development-admin",
    )
    .await?;
    let admin = Person {
        id: 1,
        token: admin,
    };
    let email = |number| format!("person-{number}@example.org");
    let items = (0..PEOPLE).map(|number| {
        let role = if number == 0 { "instructor" } else { "student" };
        json!({"email": email(number), "full_name": format!("Person {number}"),
            "password": PASSWORD, "role": role})
    });
    let created = bulk(&client, &user, &admin, items.collect()).await?;
    let mut people = Vec::new();
    for (number, item) in created["items"]
        .as_array()
        .into_iter()
        .flatten()
        .enumerate()
    {
        let id = item["id"].as_i64().context("no id")?;
        let token = sign_in(&client, &user, &email(number), PASSWORD).await?;
        people.push(Person { id, token });
    }
    for batch in 0..BATCHES {
        let items = (0..1000).map(|number| {
            let number = batch * 1000 + number;
            json!({"email": format!("invited-{number}@example.org"),
                "full_name": format!("Invited {number}")})
        });
        bulk(&client, &user, &admin, items.collect()).await?;
    }
    let instructor = people.first().context("nobody is there")?;
    for number in 0..COURSES {
        let title = json!({"title": format!("Course {number}")});
        let made = client.post(format!("{course}/courses")).json(&title);
        let made = send(made.bearer_auth(&instructor.token)).await?;
        let path = format!("{course}/courses/{}", made["id"]);
        send(
            client
                .post(format!("{path}/publish"))
                .bearer_auth(&instructor.token),
        )
        .await?;
        for person in &people[1..] {
            let enrol = client.post(format!("{path}/enrolments"));
            send(enrol.bearer_auth(&person.token)).await?;
        }
    }
    drained(platform).await?;
    Ok(Everybody { admin, people })
}

/// Waits until nobody is left to be told of anything.
pub(crate) async fn drained(platform: &Platform) -> Result<()> {
    let mut connection = PgConnection::connect_with(&platform.database).await?;
    let begun = Instant::now();
    loop {
        let waiting = "SELECT count(*) FROM outbox WHERE destination <> 'nobody'";
        let waiting: i64 = query_scalar(waiting).fetch_one(&mut connection).await?;
        if waiting == 0 {
            return Ok(());
        }
        ensure!(begun.elapsed() < DRAINED, "{waiting} events wait");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn sign_in(client: &Client, user: &str, email: &str, password: &str) -> Result<String> {
    let credentials = json!({"email": email, "password": password});
    let login = client.post(format!("{user}/auth/login")).json(&credentials);
    let session = send(login).await?;
    let token = session["access_token"].as_str().context("no token")?;
    Ok(token.to_owned())
}

async fn bulk(client: &Client, user: &str, admin: &Person, items: Vec<Value>) -> Result<Value> {
    let bulk = client.post(format!("{user}/users/bulk"));
    let bulk = bulk.header("idempotency-key", uuid::Uuid::new_v4().to_string());
    send(
        bulk.bearer_auth(&admin.token)
            .json(&json!({"items": items})),
    )
    .await
}

/// What a good answer says; nothing when it has no body.
async fn send(request: RequestBuilder) -> Result<Value> {
    let answer = request.send().await?;
    let (status, url) = (answer.status(), answer.url().clone());
    let text = answer.text().await?;
    ensure!(status.is_success(), "{url}: {status}: {text}");
    Ok(serde_json::from_str(&text).unwrap_or_default())
}
