//! Imports of a real process: killed in the middle, and measured.

use std::time::Duration;

use lyceum_contracts::job::{ImportResult, Job, JobResult, JobStatus};
use lyceum_contracts::user::Session;
use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::eventually;
use lyceum_testing::http::Client;
use lyceum_testing::peer::ScriptedPeer;
use lyceum_testing::process::{Launch, Process};
use lyceum_user::settings::DEVELOPMENT_ADMIN_PASSWORD;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::json;

use crate::announcements::job_of;
use crate::imports::list;
use crate::platform::{ADMIN, Person};

/// Longer than [`PATIENCE`]: thousands of accounts by a debug build on a busy machine.
const LONG: Duration = Duration::from_mins(2);

/// The service as a process of its own, on `database`; nobody hears its events.
fn service(database: &TestDatabase, nobody: &ScriptedPeer) -> Launch {
    Process::service(env!("CARGO_BIN_EXE_lyceum-user"))
        .setting("database.url", database.url())
        .setting("database.min_connections", 0)
        .setting("outbox.relay", false)
        // What was claimed by a process that is gone is due again soon.
        .setting("jobs.lease_ms", 1_000)
        .setting("jobs.poll_ms", 50)
        .setting("upstreams.course.base_url", nobody.url())
        .setting("upstreams.notification.base_url", nobody.url())
}

async fn admin_at(process: &Process) -> Person {
    let client = Client::new(process.ports(PATIENCE).await.api_url());
    let body = json!({"email": ADMIN, "password": DEVELOPMENT_ADMIN_PASSWORD});
    let answer = client.post("/auth/login").json(&body).send().await;
    let session: Session = answer.expect(200).json();
    Person {
        id: 1.try_into().unwrap(),
        email: ADMIN.to_owned(),
        token: session.access_token,
        refresh_token: session.refresh_token,
        client,
    }
}

/// Asks for a job until `pick` finds in it what it looks for.
async fn job_when(admin: &Person, path: &str, pick: impl Fn(&Job) -> bool) -> Job {
    let found = tokio::time::timeout(LONG, async {
        loop {
            let job = admin.job(path).await;
            if pick(&job) {
                return job;
            }
            tokio::task::yield_now().await;
        }
    });
    found.await.unwrap()
}

async fn numbers(database: &TestDatabase, sql: &str) -> i64 {
    let database = database.connect().await;
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn ten_thousand_people_are_invited_once_though_the_process_is_killed_in_between() {
    const PEOPLE: u64 = 10_000;
    let (database, nobody) = (TestDatabase::create(), ScriptedPeer::start());
    let mut process = service(&database, &nobody).start();
    let mut admin = admin_at(&process).await;
    let path = job_of(admin.imports(list(10_000)).await);
    let mut before = 0;
    for ending in ["SIGKILL", "SIGKILL", "SIGTERM"] {
        let job = job_when(&admin, &path, |job| job.progress.done > before).await;
        assert_eq!(job.status, JobStatus::Running, "{ending} in the middle");
        if ending == "SIGKILL" {
            process.kill9().await;
        } else {
            process.terminate();
            assert!(process.wait(PATIENCE).await.success());
        }
        let left = numbers(&database, "SELECT COUNT(*) FROM import_chunks").await;
        assert!(left > 0, "{ending} in the middle");
        process = service(&database, &nobody).start();
        admin = admin_at(&process).await;
        before = admin.job(&path).await.progress.done;
        assert!(before >= job.progress.done, "nothing is lost");
    }
    let job = job_when(&admin, &path, |job| job.status.is_final()).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    let all = ImportResult {
        invited: PEOPLE,
        taken: 0,
        faulty: 0,
    };
    assert_eq!(job.result, Some(JobResult::Import(all)));

    let people = i64::try_from(PEOPLE).unwrap();
    for (what, sql) in [
        (
            "an account each",
            "SELECT COUNT(*) FROM users WHERE status = 'invited'",
        ),
        (
            "no address twice",
            "SELECT COUNT(DISTINCT email_folded) FROM users WHERE status = 'invited'",
        ),
        ("an invitation each", "SELECT COUNT(*) FROM mailed_links"),
        (
            "for each person",
            "SELECT COUNT(DISTINCT user_id) FROM mailed_links",
        ),
        (
            "asked for once",
            "SELECT COUNT(*) FROM outbox WHERE kind = 'mailed_link.requested'",
        ),
    ] {
        assert_eq!(numbers(&database, sql).await, people, "{what}");
    }
    let left = numbers(&database, "SELECT COUNT(*) FROM import_chunks").await;
    assert_eq!(left, 0, "no line outlives its job");
}

/// A field of `/proc/<id>/status`, in KiB.
fn memory(process: &Process, field: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let number = line.and_then(|rest| rest.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_list_of_100_000_lines_is_imported_in_the_memory_of_a_few() {
    /// A body of 30 MiB.
    const LINES: usize = 100_000;
    /// What the process may grow by at its peak: far less than the body, and than its lines parsed.
    const GROWTH_KIB: u64 = 15 * 1024;
    let (database, nobody) = (TestDatabase::create(), ScriptedPeer::start());
    let process = service(&database, &nobody)
        // A debug build on a busy machine takes its time over them.
        .setting("http.request_timeout_ms", LONG.as_millis())
        .start();
    let admin = admin_at(&process).await;
    // One that is small first, so that what every import needs is there already.
    let path = job_of(admin.imports(list(1_000)).await);
    job_when(&admin, &path, |job| job.status.is_final()).await;

    let name = "ü".repeat(130);
    let line = format!("{{\"email\":\"a@example.org\",\"full_name\":\"{name}\"}}\n");
    let body = line.repeat(LINES);
    assert!(body.len() > 28 << 20);
    let before = memory(&process, "VmRSS");
    let path = job_of(admin.imports(body).await);
    let job = job_when(&admin, &path, |job| job.status.is_final()).await;
    let taken = u64::try_from(LINES).unwrap() - 1;
    let result = ImportResult {
        invited: 1,
        taken,
        faulty: 0,
    };
    assert_eq!(job.result, Some(JobResult::Import(result)));
    let peak = memory(&process, "VmHWM");
    assert!(
        peak < before + GROWTH_KIB,
        "from {before} KiB to {peak} KiB at the peak"
    );
    eventually("still well", async || {
        (admin.client.get("/health").send().await.status == 200).then_some(())
    })
    .await;
}
