//! All accounts in one stream, however many there are and whatever happens on the way.

use lyceum_contracts::user::User;
use lyceum_testing::eventually;
use lyceum_testing::http::Lines;
use sea_orm::ConnectionTrait;
use serde_json::Value;

use crate::people::{self, Account};
use crate::platform::{Person, Platform};

const MANY: usize = 50_000;

async fn export(person: &Person, query: &str) -> Lines {
    let path = format!("/users/export{query}");
    person.client.get(&path).bearer(&person.token).lines().await
}

fn email(line: &str) -> String {
    serde_json::from_str::<User>(line).unwrap().email
}

/// How the export of this process ended, once it has.
async fn told(platform: &Platform) -> Value {
    eventually("told how an export ended", async || {
        let lines = platform.app.captured().lines();
        let line = lines.iter().find(|line| line.contains("users.exported"))?;
        Some(serde_json::from_str(line).unwrap())
    })
    .await
}

#[tokio::test]
async fn an_export_has_one_line_for_each_account_that_matches() {
    let platform = Platform::start();
    for name in ["ada", "bob", "adam"] {
        let email = format!("{name}@example.org");
        platform.registers(&email).await.expect(201);
    }
    let admin = platform.admin().await;
    let mut lines = export(&admin, "?q=AD&role=student").await;
    assert_eq!(
        lines.head.header("content-type"),
        Some("application/x-ndjson")
    );
    let mut emails = Vec::new();
    while let Some(line) = lines.next().await.unwrap() {
        emails.push(email(&line));
    }
    // Everybody here is called Ada.
    assert_eq!(
        emails,
        ["ada@example.org", "bob@example.org", "adam@example.org"]
    );
    let told = told(&platform).await;
    assert_eq!(
        (&told["accounts"], &told["outcome"]),
        (&3.into(), &"complete".into())
    );
    for query in ["?q=a&q=b", "?role=king", "?limit=5"] {
        admin
            .get(&format!("/users/export{query}"))
            .await
            .expect(422)
            .problem();
    }
}

#[tokio::test]
async fn the_first_of_fifty_thousand_is_read_before_the_last_is_there_and_little_is_kept() {
    let platform = Platform::start();
    let database = platform.app.database();
    let db = database.connect().await;
    people::write_many(database, &db, MANY).await;
    let admin = platform.admin().await;

    let mut lines = export(&admin, "").await;
    let first = lines.next().await.unwrap().unwrap();
    assert_eq!(email(&first), admin.email);
    // Nobody could have told this line when the first one was read.
    let last = Account::named("Zoe", "last@example.org");
    people::write(database, &db, &[last]).await;

    let (mut count, mut bytes, mut before) = (1, first.len(), first);
    // What is grown by the first tenth, every allocator keeps.
    let (mut settled, mut most) = (0, 0);
    while let Some(line) = lines.next().await.unwrap() {
        count += 1;
        bytes += line.len();
        if count % 1_000 == 0 {
            let resident = resident_kib();
            if count <= MANY / 10 {
                settled = settled.max(resident);
            }
            most = most.max(resident);
        }
        before = line;
    }
    assert_eq!(count, MANY + 2);
    assert_eq!(email(&before), "last@example.org");
    let grown = most - settled;
    assert!(bytes > 24 << 20, "{bytes}");
    assert!(grown < 12 << 10, "{grown} KiB more for {bytes} bytes");
}

/// Resident memory of this process, service and test together.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn an_export_that_nobody_reads_any_more_ends() {
    let platform = Platform::start();
    let database = platform.app.database();
    let db = database.connect().await;
    people::write_many(database, &db, MANY).await;
    let admin = platform.admin().await;
    let mut lines = export(&admin, "").await;
    lines.next().await.unwrap().unwrap();
    drop(lines);
    let told = told(&platform).await;
    assert_eq!(told["outcome"], "abandoned");
    assert!(told["accounts"].as_u64().unwrap() < MANY as u64, "{told}");
}

#[tokio::test]
async fn an_export_that_breaks_off_cannot_be_taken_for_a_whole_one() {
    let platform = Platform::start();
    let database = platform.app.database();
    let db = database.connect().await;
    people::write_many(database, &db, MANY).await;
    let admin = platform.admin().await;
    let mut lines = export(&admin, "").await;
    lines.next().await.unwrap().unwrap();
    db.execute_unprepared("ALTER TABLE users RENAME TO elsewhere")
        .await
        .unwrap();
    let mut count = 1;
    let end = loop {
        match lines.next().await {
            Ok(Some(_)) => count += 1,
            end => break end,
        }
    };
    assert!(end.is_err(), "{end:?}");
    assert!(count < MANY, "{count}");
    assert_eq!(told(&platform).await["outcome"], "failed");
    // What has not begun is told as any failure is.
    admin.get("/users/export").await.expect(500).problem();
}
