//! A second checkout beside the first: another name, other ports, nothing shared.

use lyceum_stack_test::people::Apis;
use lyceum_stack_test::stack::{docker, run};
use lyceum_stack_test::{Stack, eventually};
use tokio::process::Command;

/// Far enough from the default ports and from one another.
const SHIFT: u16 = 200;

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn a_second_checkout_runs_beside_the_first() {
    let first = Stack::running();
    let folder = first.checkout().join("target/stack-test/second");
    std::fs::remove_dir_all(&folder).ok();
    run(Command::new("git")
        .args(["clone", "--quiet"])
        .arg(first.checkout())
        .arg(&folder))
    .await;
    let project = format!("{}-second", first.project());
    let second = Stack::elsewhere(folder.clone(), &project, SHIFT);
    let up = second.try_compose(&["up", "--build", "--wait"]).await;

    let told = if up.status.success() {
        let apis = Apis::of(&second);
        let (ada, course) = apis.ada_and_a_course().await;
        apis.enrol(&ada, course).await;
        let there = eventually("told", async || {
            let overview = apis.overview(&ada).await;
            (overview.unread == Some(1)).then_some(overview)
        });
        let there = there.await;
        // The first knows nothing of her.
        let elsewhere = Apis::of(&first).user;
        let stranger = elsewhere.get("/users/me").bearer(&ada.token);
        Some((there, stranger.send().await.status))
    } else {
        None
    };
    second
        .compose(&["--profile", "*", "down", "--volumes", "--remove-orphans"])
        .await;
    for target in ["user", "course", "notification", "front"] {
        run(docker().args(["image", "rm", &format!("{project}/{target}:dev")])).await;
    }
    std::fs::remove_dir_all(&folder).expect("the clone is ours");
    let (overview, status) = told.unwrap_or_else(|| {
        panic!("up: {}", String::from_utf8_lossy(&up.stderr));
    });
    assert!(overview.degraded.is_empty(), "{overview:?}");
    assert_ne!(status, 500);
    println!("{project}: enrolled and told; in the first stack her token is answered {status}");
}
