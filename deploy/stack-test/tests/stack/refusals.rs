//! What cannot work says so in one line and ends.

use lyceum_stack_test::command::{docker, finished, run};
use lyceum_stack_test::{PATIENCE, Stack};

/// Starts a service with other settings; its exit code and what it wrote.
async fn started_with(stack: &Stack, service: &str, settings: &[&str]) -> (Option<i32>, String) {
    let mut arguments = vec!["run", "--rm", "--no-deps", "--no-TTY"];
    for setting in settings {
        arguments.extend(["--env", setting]);
    }
    arguments.push(service);
    let ended = tokio::time::timeout(PATIENCE, stack.try_compose(&arguments)).await;
    let output = ended.expect("what cannot work ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut lines = told.lines().filter(|line| line.starts_with("lyceum-"));
    let line = lines.next().unwrap_or(&told).to_owned();
    assert_eq!(lines.count(), 0, "one line: {told}");
    println!("{line}");
    (output.status.code(), line)
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn production_refuses_what_stands_in_every_checkout() {
    let stack = Stack::running().await;
    let production = "LYCEUM__ENVIRONMENT=production";
    let secret = "LYCEUM__SERVICE_AUTH__SECRETS=a-secret-of-this-test-and-of-nothing-else";
    let key = "LYCEUM__TOKENS__SIGNING_KEY=MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";
    let nobody = "LYCEUM__ADMIN__EMAIL=";
    for (settings, named) in [
        (vec![production], "service_auth.secrets"),
        (vec![production, secret], "tokens.signing_key"),
        (vec![production, secret, key], "admin.password"),
    ] {
        let (code, line) = started_with(&stack, "user", &settings).await;
        assert_eq!(code, Some(1));
        assert!(line.contains(named), "{line}");
    }
    let empty = [production, secret, key, nobody, "LYCEUM__DATABASE__URL="];
    let (code, line) = started_with(&stack, "user", &empty).await;
    assert_eq!(code, Some(1));
    assert!(line.contains("database.url"), "{line}");
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn a_wrong_password_or_an_absent_database_is_one_line_without_the_password() {
    let stack = Stack::running().await;
    for (url, named) in [
        ("postgres://user_app:hunter2@postgres/user", "password"),
        ("postgres://user_app:hunter2@nowhere/user", "nowhere"),
        (
            "postgres://user_app:user-development@postgres/course",
            "course",
        ),
    ] {
        let setting = format!("LYCEUM__DATABASE__URL={url}");
        let (code, line) = started_with(&stack, "user", &[&setting]).await;
        assert_eq!(code, Some(1));
        assert!(line.contains(named), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn a_disk_that_cannot_be_written_is_named() {
    let stack = Stack::running().await;
    let settings = [
        "LYCEUM__DATABASE__URL=sqlite:///var/lyceum.db?mode=rwc",
        "LYCEUM__DATABASE__MIGRATE_ON_START=true",
    ];
    let (code, line) = started_with(&stack, "course", &settings).await;
    assert_eq!(code, Some(1));
    assert!(line.contains("/var/lyceum.db"), "{line}");
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn a_port_that_is_taken_is_named() {
    let stack = Stack::running().await;
    // The same ports once more, under another name.
    let other = Stack::elsewhere(
        stack.checkout().to_owned(),
        &format!("{}-taken", stack.project()),
        0,
    );
    let image = stack
        .container("front")
        .await
        .text("/Config/Image")
        .to_owned();
    let its = format!("{}/front:dev", other.project());
    run(docker().args(["tag", &image, &its])).await;
    let up = other
        .try_compose(&["up", "--detach", "--no-build", "front"])
        .await;
    other.compose(&["down", "--volumes"]).await;
    finished(docker().args(["image", "rm", &its])).await;
    let told = String::from_utf8_lossy(&up.stderr);
    println!("{}", told.lines().last().unwrap_or_default());
    assert!(!up.status.success());
    assert!(
        told.contains("port is already allocated") || told.contains("address already in use"),
        "{told}"
    );
    let named = ["8000", "8001", "8002", "8003", "9001", "9002", "9003"];
    assert!(named.iter().any(|port| told.contains(port)), "{told}");
}
