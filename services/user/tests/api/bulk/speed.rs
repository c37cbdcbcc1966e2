//! How long a thousand invitations take, against the one statement that writes their accounts.
//!
//! `LYCEUM_TEST_ENGINE=postgres .ci/with-postgres cargo nextest run --release -p lyceum-user
//! --run-ignored only -E 'test(against_one_statement)' --no-capture`

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lyceum_chassis::database::{Kind, Rows};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};

use super::{Office, invitees};

/// Requests that are measured, after as many to get warm.
const ROUNDS: usize = 30;

#[tokio::test]
#[ignore = "it measures: run it alone, on Postgres, with the best build"]
async fn a_thousand_invitations_against_one_statement() {
    let office = Office::open().await;
    let database = office.platform.app.database().connect().await;
    if database.get_database_backend() != DbBackend::Postgres {
        return;
    }
    let copy = "CREATE TABLE measured (LIKE users INCLUDING ALL)";
    database.execute_unprepared(copy).await.unwrap();
    let (mut requests, mut statements) = (Vec::new(), Vec::new());
    let mut parts = BTreeMap::<String, Vec<Duration>>::new();
    for round in 0..2 * ROUNDS {
        let items = invitees(round * 1_000..(round + 1) * 1_000);
        let trace = format!("{:032x}", round + 1);
        let request = office
            .request(&format!("k{round}"))
            .json(&json!({ "items": items }));
        let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
        let began = Instant::now();
        let answer = request.send().await;
        let request = began.elapsed();
        answer.expect(201);

        let statement = insert(&items);
        let began = Instant::now();
        database.execute_raw(statement).await.unwrap();
        let statement = began.elapsed();
        if round < ROUNDS {
            continue;
        }
        requests.push(request);
        statements.push(statement);
        let mut seen = BTreeMap::<String, Duration>::new();
        for span in office
            .platform
            .app
            .captured()
            .wait_for_spans(&trace, 10)
            .await
        {
            let took = span.end_time.duration_since(span.start_time).unwrap();
            *seen.entry(span.name.to_string()).or_default() += took;
        }
        for (name, took) in seen {
            parts.entry(name).or_default().push(took);
        }
    }
    let (request, statement) = (median(requests), median(statements));
    let share = 100.0 * statement.as_secs_f64() / request.as_secs_f64();
    eprintln!("request {request:.2?}, statement {statement:.2?}: {share:.0} % of its speed");
    for (name, took) in parts {
        eprintln!("  {name}: {:.2?}", median(took));
    }
}

/// The same accounts into a table like theirs.
fn insert(items: &[Value]) -> sea_orm::Statement {
    let rows = items.iter().map(|item| {
        let text = |name: &str| item[name].as_str().unwrap();
        [text("email").into(), text("full_name").into()]
    });
    let rows = Rows::new([("email", Kind::Text), ("full_name", Kind::Text)], rows);
    let sql = |rows: &str| {
        format!(
            "INSERT INTO measured (email, email_folded, full_name, password_hash, role, status, \
             version, token_version, created_at, updated_at) SELECT email, email, full_name, '!', \
             'student', 'invited', 1, 1, now(), now() FROM {rows}"
        )
    };
    rows.statement(DbBackend::Postgres, [], sql).unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
