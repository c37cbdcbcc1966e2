//! The images: nobody's, shell-less, small, and able to say what they were made of.

use lyceum_stack_test::Stack;
use lyceum_stack_test::command::{docker, finished, run};
use serde_json::Value;

/// One per target of the Dockerfile.
const TARGETS: [&str; 4] = ["user", "course", "notification", "front"];

/// What each image may add to its base, in bytes; the list of common passwords is in that of the user
/// service, which is over its goal of 45 MB with it.
const LARGEST: u64 = 30_000_000;

const BASE: &str = "gcr.io/distroless/cc-debian13:nonroot";

/// The section cargo-auditable leaves in a binary.
const AUDITABLE: &[u8] = b".dep-v0";

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn images_run_as_nobody_without_a_shell_and_are_small() {
    let stack = Stack::running().await;
    let base = described(BASE).await;
    for target in TARGETS {
        let image = stack
            .container(target)
            .await
            .text("/Config/Image")
            .to_owned();
        let description = described(&image).await;
        let user = description["Config"]["User"].as_str().unwrap_or_default();
        assert!(user.starts_with("65532"), "{image} runs as {user:?}");
        let (size, base) = (size(&description), size(&base));
        println!(
            "{image}: {:.1} MB, {:.1} of them its base's, user {user}",
            mega(size),
            mega(base)
        );
        assert!(size - base <= LARGEST, "{image} adds {} bytes", size - base);

        for shell in ["/bin/sh", "/bin/bash", "/busybox/sh"] {
            let attempt = ["run", "--rm", "--entrypoint", shell, &image, "-c", "true"];
            let output = finished(docker().args(attempt)).await;
            assert!(!output.status.success(), "{image} has {shell}");
        }
        let binary = format!("/usr/local/bin/lyceum-{target}");
        let container = run(docker().args(["create", &image])).await;
        let folder = stack.checkout().join(format!("target/stack-test/{target}"));
        let copy = format!("{}:{binary}", container.trim());
        std::fs::create_dir_all(folder.parent().expect("under target")).expect("a folder");
        run(docker().arg("cp").arg(copy).arg(&folder)).await;
        run(docker().args(["rm", container.trim()])).await;
        let bytes = std::fs::read(&folder).expect("the binary");
        std::fs::remove_file(&folder).ok();
        let audited = bytes
            .windows(AUDITABLE.len())
            .any(|window| window == AUDITABLE);
        assert!(audited, "{binary} does not say what it was made of");
    }
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn each_binary_runs_on_a_read_only_root_without_any_right() {
    let stack = Stack::running().await;
    for target in TARGETS {
        let image = stack
            .container(target)
            .await
            .text("/Config/Image")
            .to_owned();
        let bare = [
            "run",
            "--rm",
            "--read-only",
            "--cap-drop",
            "ALL",
            "--network",
            "none",
            "--security-opt",
            "no-new-privileges:true",
            &image,
            "--help",
        ];
        let help = run(docker().args(bare)).await;
        assert!(help.contains("healthcheck"), "{help}");
    }
}

async fn described(image: &str) -> Value {
    let text = run(docker().args(["image", "inspect", image])).await;
    let mut all: Vec<Value> = serde_json::from_str(&text).expect("docker inspect speaks JSON");
    all.remove(0)
}

fn size(description: &Value) -> u64 {
    description["Size"].as_u64().expect("a size")
}

#[expect(clippy::cast_precision_loss, reason = "for people to read")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
