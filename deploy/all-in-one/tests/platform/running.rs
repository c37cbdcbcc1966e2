//! From the block with every address to the end, and what happens to the children on the way.

use std::fs;

use lyceum_testing::http::Client;
use lyceum_testing::process::Process;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

use crate::platform::{PATIENCE, client, lyceum, up};

/// The processes the platform has started (Linux: `/proc`).
fn children(lyceum: &Process) -> Vec<Pid> {
    let id = lyceum.id();
    let mut children = Vec::new();
    for thread in fs::read_dir(format!("/proc/{id}/task")).unwrap() {
        let text = fs::read_to_string(thread.unwrap().path().join("children")).unwrap_or_default();
        children.extend(
            text.split_whitespace()
                .map(|pid| Pid::from_raw(pid.parse().unwrap()).unwrap()),
        );
    }
    children
}

/// Waits until `probe` finds something.
async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let poll = async {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
        loop {
            tick.tick().await;
            if let Some(found) = probe().await {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, poll)
        .await
        .unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

fn is_letter(file: &std::fs::DirEntry) -> bool {
    file.path().extension().is_some_and(|kind| kind == "eml")
}

async fn gone(children: &[Pid]) {
    let alive = |pid: &Pid| test_kill_process(*pid).is_ok();
    until("every child is gone", async || {
        (!children.iter().any(alive)).then_some(())
    })
    .await;
}

async fn token(user: &Client, email: &str) -> String {
    let credentials = json!({"email": email, "password": "plato-olive-grove-387"});
    let session = user
        .post("/auth/login")
        .json(&credentials)
        .send()
        .await
        .expect(200);
    session.json::<Value>()["access_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn catalogue(course: &Client, token: &str) -> Vec<String> {
    let page: Value = course
        .get("/courses")
        .bearer(token)
        .send()
        .await
        .expect(200)
        .json();
    let courses = page["items"].as_array().unwrap();
    courses
        .iter()
        .map(|course| course["title"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_second_start_finds_the_data_of_the_first_and_nothing_outlives_either() {
    let data = tempfile::tempdir().unwrap();
    let mut courses = Vec::new();
    for _ in 0..2 {
        let mut lyceum = lyceum(data.path()).start();
        let user = client(&lyceum, "user").await;
        let course = client(&lyceum, "course").await;
        up(&lyceum).await;
        for email in ["admin@lyceum.test", "ines@lyceum.test"] {
            token(&user, email).await;
        }
        let student = token(&user, "ada@lyceum.test").await;
        courses.push(catalogue(&course, &student).await);
        let letters = data.path().join("mail");
        until("the letters of the demo", async || {
            let mut files = std::fs::read_dir(&letters).ok()?;
            files.find(|file| file.as_ref().is_ok_and(is_letter))
        })
        .await
        .unwrap();
        let children = children(&lyceum);
        assert_eq!(children.len(), 3);
        lyceum.interrupt();
        let status = lyceum.wait(PATIENCE).await;
        assert!(status.success(), "{status}: {:?}", lyceum.error_lines());
        gone(&children).await;
    }
    assert_eq!(courses[0].len(), 3);
    assert_eq!(courses[0], courses[1]);
}

#[tokio::test]
async fn the_trace_page_shows_the_overview_of_the_demo_through_three_services() {
    let data = tempfile::tempdir().unwrap();
    let lyceum = lyceum(data.path()).start();
    let traces = client(&lyceum, "traces").await;
    let services = until("a trace through three services", async || {
        let list = traces
            .get("/api/traces?service=user&limit=100")
            .send()
            .await
            .json::<Value>();
        let traces = list["data"].as_array()?;
        traces.iter().find_map(|trace| {
            let processes = trace["processes"].as_object()?.values();
            let mut names: Vec<_> = processes
                .map(|process| process["serviceName"].clone())
                .collect();
            names.sort_by_key(Value::to_string);
            names.dedup();
            (names.len() == 3).then_some(names)
        })
    });
    assert_eq!(services.await, ["course", "notification", "user"]);
}

#[tokio::test]
async fn a_killed_service_comes_back_by_itself() {
    let data = tempfile::tempdir().unwrap();
    let lyceum = lyceum(data.path()).start();
    let course = client(&lyceum, "course").await;
    up(&lyceum).await;
    let before = children(&lyceum);
    for pid in &before {
        kill_process(*pid, Signal::KILL).unwrap();
    }
    gone(&before).await;
    until("course answers again", async || {
        let health = course.get("/health").try_send().await.ok()?;
        (health.status == 200).then_some(())
    })
    .await;
    let line = |line: &str| line.contains("course ended").then(|| line.to_owned());
    let line = lyceum
        .wait_for_line("a line that says so", line, PATIENCE)
        .await;
    assert!(line.contains("starting it again"), "{line}");
}

#[tokio::test]
async fn a_service_killed_while_the_demo_is_made_comes_back_too() {
    let data = tempfile::tempdir().unwrap();
    let lyceum = lyceum(data.path()).start();
    // The first person of the demo: all three services are ready.
    let begun =
        |line: &str| (line.contains("user.registered") && line.contains("student")).then_some(());
    lyceum
        .wait_for_line("the demo's first registration", begun, PATIENCE)
        .await;
    let is_notification = |pid: &&Pid| {
        let line = fs::read_to_string(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
        line.unwrap_or_default().contains("\0notification\0")
    };
    let children = children(&lyceum);
    let notification = children.iter().find(is_notification).unwrap();
    kill_process(*notification, Signal::KILL).unwrap();
    let back = |line: &str| {
        (line.contains("notification ended") && line.contains("starting it again")).then_some(())
    };
    lyceum
        .wait_for_line("a line that says so", back, PATIENCE)
        .await;
    up(&lyceum).await;
}

#[tokio::test]
async fn children_do_not_outlive_a_parent_that_was_killed() {
    let data = tempfile::tempdir().unwrap();
    let mut lyceum = lyceum(data.path()).start();
    up(&lyceum).await;
    let children = children(&lyceum);
    assert_eq!(children.len(), 3);
    lyceum.kill9().await;
    gone(&children).await;
}
