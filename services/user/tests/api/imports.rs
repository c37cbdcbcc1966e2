//! Many people invited at once, from a list.

use std::collections::BTreeMap;

use lyceum_contracts::job::{ImportResult, Job, JobResult, JobStatus, LineFault};
use lyceum_contracts::notification::EventBatch;
use lyceum_contracts::page::Page;
use lyceum_testing::eventually;
use lyceum_testing::http::Response;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::Value;

use crate::announcements::job_of;
use crate::platform::{Person, Platform};

const NDJSON: &str = "application/x-ndjson";

impl Person {
    /// Uploads a list.
    pub(crate) async fn imports(&self, body: impl Into<Vec<u8>>) -> Response {
        let request = self.client.post("/users/import").bearer(&self.token);
        request.body(body.into(), NDJSON).send().await
    }

    async fn faults(&self, path: &str) -> Vec<(u64, String, String)> {
        let path = format!("{path}/faults?limit=1000");
        let page: Page<LineFault> = self.get(&path).await.expect(200).json();
        let faults = page.items.into_iter().flat_map(|line| {
            let errors = line.errors.into_iter();
            errors.map(move |fault| (line.line, fault.pointer, fault.code))
        });
        faults.collect()
    }
}

/// `count` lines that are in order.
pub(crate) fn list(count: usize) -> String {
    use std::fmt::Write;
    (0..count).fold(String::new(), |mut list, number| {
        writeln!(
            list,
            r#"{{"email":"person{number}@example.org","full_name":"Person {number}"}}"#
        )
        .unwrap();
        list
    })
}

/// What a query that counts finds.
async fn count(platform: &Platform, sql: &str) -> i64 {
    let database = platform.app.database().connect().await;
    let backend: DbBackend = database.get_database_backend();
    let row = database
        .query_one_raw(Statement::from_string(backend, sql))
        .await;
    row.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn uploads(platform: &Platform) -> i64 {
    count(platform, "SELECT COUNT(*) FROM imports").await
}

async fn lines_left(platform: &Platform) -> i64 {
    count(platform, "SELECT COUNT(*) FROM import_chunks").await
}

fn result(invited: u64, taken: u64, faulty: u64) -> JobResult {
    JobResult::Import(ImportResult {
        invited,
        taken,
        faulty,
    })
}

#[tokio::test]
async fn everybody_on_a_list_gets_an_account_and_an_invitation() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let body = format!(
        "{}{}",
        list(1_200),
        r#"{"email":"Grace@Example.org","full_name":"Grace","role":"instructor"}"#
    );
    let path = job_of(admin.imports(body).await);
    let waiting = admin.job(&path).await;
    assert_eq!(waiting.progress.total, Some(1_201));
    assert_eq!(
        platform.jobs.run_pending().await.unwrap(),
        3,
        "500 lines a step"
    );
    let job = admin.job(&path).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    assert_eq!(
        (job.progress.done, job.result),
        (1_201, Some(result(1_201, 0, 0)))
    );
    assert_eq!(lines_left(&platform).await, 0, "no line outlives its job");

    let invited = "SELECT COUNT(*) FROM users WHERE status = 'invited' AND password_hash = '!'";
    for (which, people) in [
        ("", 1_201),
        (" AND role = 'student'", 1_200),
        (
            " AND email = 'Grace@Example.org' AND email_folded = 'grace@example.org' \
             AND full_name = 'Grace' AND role = 'instructor'",
            1,
        ),
    ] {
        let found = count(&platform, &format!("{invited}{which}")).await;
        assert_eq!(found, people, "{which}");
    }
    let invitations = "SELECT COUNT(DISTINCT user_id) FROM mailed_links";
    assert_eq!(count(&platform, invitations).await, 1_201);
    let kept = "SELECT COUNT(DISTINCT subject_id) FROM audit_entries WHERE action = 'invited'";
    assert_eq!(count(&platform, kept).await, 1_201);

    while platform.deliver_pending().await.delivered > 0 {}
    let mut told = BTreeMap::<String, usize>::new();
    for request in platform.notification.requests() {
        let batch: EventBatch = request.json();
        for envelope in batch.events {
            *told.entry(envelope.event.name().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(told["mailed_link.requested"], 1_201);
    assert_eq!(told["user.registered"], 1, "the admin");
}

#[tokio::test]
async fn a_line_that_is_wrong_is_told_and_fails_no_other() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    platform.registers("taken@example.org").await.expect(201);
    let body = concat!(
        "{\"email\":\"a@example.org\",\"full_name\":\"A\"}\r\n",
        "\n",
        "{\"email\":\"a@\",\"full_name\":\"\"}\n",
        "{\"email\":\"b@example.org\"\n",
        "[]\n",
        "{\"email\":\"TAKEN@example.org\",\"full_name\":\"T\"}\n",
        "{\"email\":\"A@EXAMPLE.ORG\",\"full_name\":\"A again\"}\n",
        "{\"email\":\"c@example.org\",\"full_name\":\"C\",\"role\":\"dean\",\"password\":\"x\"}\n",
        "{\"email\":\"d@example.org\",\"full_name\":\"\u{0}\"}\n",
        "\u{feff}{\"email\":\"e@example.org\",\"full_name\":\"E\"}\n",
        "{\"email\":\"f@example.org\",\"email\":\"g@example.org\",\"full_name\":\"F\"}\n",
        "{\"email\":\"z@example.org\",\"full_name\":\"Z\"}",
    );
    let path = job_of(admin.imports(body).await);
    platform.jobs.run_pending().await.unwrap();
    let job = admin.job(&path).await;
    assert_eq!(job.result, Some(result(2, 2, 7)));
    assert_eq!((job.progress.done, job.progress.total), (11, Some(11)));
    let faults = admin.faults(&path).await;
    let faults: Vec<_> = faults
        .iter()
        .map(|(line, pointer, code)| (*line, pointer.as_str(), code.as_str()))
        .collect();
    assert_eq!(
        faults,
        [
            (3, "#/email", "malformed_email"),
            (3, "#/full_name", "empty"),
            (4, "#", "malformed"),
            (5, "#", "wrong_type"),
            (6, "#/email", "taken"),
            (7, "#/email", "taken"),
            (8, "#/role", "unknown_role"),
            (8, "#/password", "unknown_field"),
            (9, "#", "malformed"),
            (10, "#", "malformed"),
            (11, "#", "malformed"),
        ]
    );
    let page: Page<LineFault> = admin
        .get(&format!("{path}/faults?limit=2"))
        .await
        .expect(200)
        .json();
    let lines: Vec<_> = page.items.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [3, 4]);
    let next = page.next_cursor.unwrap();
    let page: Page<LineFault> = admin
        .get(&format!("{path}/faults?limit=2&cursor={next}"))
        .await
        .expect(200)
        .json();
    assert_eq!(page.items[0].line, 5);
}

#[tokio::test]
async fn of_many_faults_a_thousand_are_kept_and_all_are_counted() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let same = "{\"email\":\"a@example.org\",\"full_name\":\"A\"}\n";
    let body = "{}\n".repeat(700) + &same.repeat(800);
    let path = job_of(admin.imports(body).await);
    platform.jobs.run_pending().await.unwrap();
    assert_eq!(admin.job(&path).await.result, Some(result(1, 799, 700)));
    let kept = "SELECT COUNT(*) FROM import_faults";
    assert_eq!(count(&platform, kept).await, 1_000);
}

#[tokio::test]
async fn a_body_that_is_no_list_is_refused_and_nothing_is_left_of_it() {
    let platform = Platform::with(|settings| settings.service.import.max_lines = 600);
    let admin = platform.admin().await;
    let sends = async |body: String, media: &str| {
        let request = admin.client.post("/users/import").bearer(&admin.token);
        request.body(body, media).send().await
    };
    for media in ["application/json", "text/plain", "text/csv"] {
        sends(list(1), media).await.expect(415).problem();
    }
    admin
        .client
        .post("/users/import")
        .bearer(&admin.token)
        .send()
        .await
        .expect(415);
    for empty in ["", "\n", " \r\n\n\t"] {
        let problem = sends(empty.to_owned(), NDJSON).await.expect(422).problem();
        assert_eq!(problem.errors[0].code, "empty", "{empty:?}");
    }
    let problem = sends(list(601), NDJSON).await.expect(413).problem();
    assert!(problem.detail.unwrap().contains("600 lines"));
    let long = format!("{}{{\"email\":\"{}\"}}", list(550), "x".repeat(5_000));
    let problem = sends(long, NDJSON).await.expect(413).problem();
    assert!(problem.detail.unwrap().contains("line 551"));
    assert_eq!(uploads(&platform).await, 0);
    assert_eq!(lines_left(&platform).await, 0);
    let jobs: Page<Job> = admin.get("/jobs").await.expect(200).json();
    assert!(jobs.items.is_empty());
    // A line more would be too many; a charset is no other type.
    sends(list(600), "application/x-ndjson; charset=utf-8")
        .await
        .expect(202);
}

#[tokio::test]
async fn an_upload_that_breaks_off_has_no_job_and_is_forgotten() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let body = list(2_000);
    let head = format!(
        "POST /users/import HTTP/1.1\r\nhost: lyceum\r\nauthorization: Bearer {}\r\n\
         content-type: {NDJSON}\r\ncontent-length: {}\r\n\r\n",
        admin.token,
        body.len() + 1
    );
    let address = admin.client.base_url().trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = [head.as_bytes(), body.as_bytes()].concat();
    tokio::io::AsyncWriteExt::write_all(&mut socket, &request)
        .await
        .unwrap();
    eventually("received in part", async || {
        (lines_left(&platform).await > 0).then_some(())
    })
    .await;
    drop(socket);
    let jobs: Page<Job> = admin.get("/jobs").await.expect(200).json();
    assert!(jobs.items.is_empty());
    let database = platform.app.database().connect().await;
    let aged = "UPDATE imports SET touched_at = '2020-01-01T00:00:00.000000Z'";
    eventually("forgotten", async || {
        // The last of it may be on its way still, and is not old then.
        database.execute_unprepared(aged).await.unwrap();
        let url = platform.app.database().url().to_owned();
        // Which looks as soon as it starts.
        let _replica = Platform::with(|settings| {
            settings.platform.database.url = url.as_str().into();
        });
        let mut looks = 0;
        while uploads(&platform).await > 0 && looks < 100 {
            looks += 1;
        }
        (uploads(&platform).await == 0).then_some(())
    })
    .await;
    assert_eq!(lines_left(&platform).await, 0);
    let people: Page<Value> = admin.get("/users").await.expect(200).json();
    assert_eq!(people.items.len(), 1, "nobody was invited");
}

#[tokio::test]
async fn a_list_uploaded_twice_under_one_key_is_one_import() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let uploads_under_key = async |body: String| {
        let request = admin.client.post("/users/import").bearer(&admin.token);
        let request = request.header("idempotency-key", "list-1");
        request.body(body, NDJSON).send().await
    };
    let first = job_of(uploads_under_key(list(600)).await);
    let again = uploads_under_key(list(600)).await.expect(202);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), Some(first.as_str()));
    let other = uploads_under_key(list(601)).await.expect(422).problem();
    assert_eq!(other.r#type, "/problems/idempotency-key-reused");
    assert_eq!(uploads(&platform).await, 1, "the others are gone");
    platform.jobs.run_pending().await.unwrap();
    assert_eq!(admin.job(&first).await.result, Some(result(600, 0, 0)));
}

#[tokio::test]
async fn an_import_that_is_cancelled_keeps_whom_it_invited_and_forgets_the_rest() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let path = job_of(admin.imports(list(1_500)).await);
    let mut claim = platform.jobs.claim().await.unwrap().unwrap();
    platform.jobs.step(&mut claim).await.unwrap();
    let request = admin.client.delete(&path).bearer(&admin.token);
    request.send().await.expect(204);
    platform.jobs.step(&mut claim).await.unwrap();
    assert_eq!(admin.job(&path).await.progress.done, 500);
    assert_eq!(lines_left(&platform).await, 2);
    let url = platform.app.database().url().to_owned();
    // Which looks as soon as it starts.
    let _replica = Platform::with(|settings| {
        settings.platform.database.url = url.as_str().into();
    });
    eventually("forgotten", async || {
        (lines_left(&platform).await == 0).then_some(())
    })
    .await;
    let invited = "SELECT COUNT(*) FROM users WHERE status = 'invited'";
    assert_eq!(count(&platform, invited).await, 500);
}
