//! A disk that takes no more, below a SQLite file.

use lyceum_testing::database::{Engine, TestDatabase};
use lyceum_testing::people::PASSWORD;
use lyceum_testing::process::Process;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::service::Running;

/// Lets the process write no file beyond this size; `None` lifts the limit.
fn limit_files(process: &Process, bytes: Option<u64>) {
    let pid = Pid::from_raw(process.id().try_into().unwrap());
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

#[tokio::test]
async fn a_disk_that_takes_no_more_is_503_for_writes_and_heals() {
    if Engine::chosen() == Engine::Postgres {
        return; // A server's disk is the server's to report.
    }
    let database = TestDatabase::create();
    // The limit stands for a full disk once the signal it comes with is ignored; exec keeps that.
    let launch = Process::command("/bin/sh")
        .arg("-c")
        .arg(r#"trap "" XFSZ; exec "$0" service user"#)
        .arg(env!("CARGO_BIN_EXE_lyceum"))
        .setting("http.port", 0)
        .setting("operations.port", 0)
        .setting("telemetry.log_format", "json")
        .setting("lifecycle.stop_with_stdin", true)
        .setting("database.url", database.url());
    let user = Running::start(launch).await;
    assert_eq!(user.registers("ada@example.org").await, 201);
    let token = user.signs_in("ada@example.org", PASSWORD).await.unwrap();

    limit_files(&user.process, Some(0));
    for _ in 0..3 {
        assert_eq!(user.registers("grace@example.org").await, 503);
    }
    let me = user.api.get("/users/me").bearer(&token).send().await;
    assert_eq!(me.status, 200, "what is there can be read");
    assert_eq!(user.readiness().await.0, 200);

    limit_files(&user.process, None);
    for number in 0..5 {
        let email = format!("grace.{number}@example.org");
        assert_eq!(user.registers(&email).await, 201);
        // What rolls back on a connection that has met the fault leaves no lock.
        assert_eq!(user.registers(&email).await, 409);
    }
    user.ends().await;
}
