//! A second checkout beside the first: another name, other ports, nothing shared.

use lyceum_stack_test::command::{docker, finished, run};
use lyceum_stack_test::{Stack, eventually};
use lyceum_testing::people::PASSWORD;
use serde_json::json;
use tokio::process::Command;

/// Far enough from the default ports and from one another.
const SHIFT: u16 = 200;

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn a_second_checkout_runs_beside_the_first() {
    let first = Stack::running().await;
    let folder = first.checkout().join("target/stack-test/second");
    std::fs::remove_dir_all(&folder).ok();
    run(Command::new("git")
        .args(["clone", "--quiet"])
        .arg(first.checkout())
        .arg(&folder))
    .await;
    let project = format!("{}-second", first.project());
    let second = Stack::elsewhere(folder.clone(), &project, SHIFT);
    // As a newcomer says it: there is no image yet.
    let up = second.try_compose(&["up", "--wait"]).await;

    let told = if up.status.success() {
        let apis = second.apis();
        let (ada, course) = apis.ada_and_a_course().await;
        apis.enrol(&ada, course).await;
        let there = eventually("told", async || {
            let overview = apis.overview(&ada).await;
            (overview.unread == Some(1)).then_some(overview)
        });
        let there = there.await;
        // The first knows nothing of her.
        let credentials = json!({"email": ada.email, "password": PASSWORD});
        let elsewhere = first.apis().user;
        let stranger = elsewhere
            .post("/auth/login")
            .json(&credentials)
            .send()
            .await;
        Some((there, stranger.status))
    } else {
        None
    };
    second
        .compose(&["--profile", "*", "down", "--volumes", "--remove-orphans"])
        .await;
    for target in ["user", "course", "notification", "front"] {
        let image = format!("{project}/{target}:dev");
        finished(docker().args(["image", "rm", "--force", &image])).await;
    }
    std::fs::remove_dir_all(&folder).expect("the clone is ours");
    let (overview, status) = told.unwrap_or_else(|| {
        panic!("up: {}", String::from_utf8_lossy(&up.stderr));
    });
    assert!(overview.degraded.is_empty(), "{overview:?}");
    assert_eq!(status, 401);
    println!("{project}: enrolled and told; in the first stack her login is answered {status}");
}
