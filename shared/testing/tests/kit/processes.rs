//! Real processes, played by the shell.

use std::os::unix::process::ExitStatusExt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use futures_util::FutureExt;
use lyceum_testing::PATIENCE;
use lyceum_testing::process::{Launch, Ports, Process};

const LISTENING: &str = r#"{"event":"server.listening","port":8001,"operations_port":9001}"#;

fn shell(script: &str) -> Launch {
    Process::command("/bin/sh").arg("-c").arg(script)
}

/// Signals mean something else before the script has set its traps.
async fn ready(process: &Process) {
    let is_ready = |line: &str| (line == "ready").then_some(());
    process.wait_for_line("readiness", is_ready, PATIENCE).await;
}

#[tokio::test]
async fn ports_are_read_from_the_log() {
    let service = shell(&format!("echo starting; echo '{LISTENING}'; read -r end")).start();
    let ports = Ports {
        api: 8001,
        operations: 9001,
    };
    assert_eq!(service.ports(PATIENCE).await, ports);
    assert_eq!(service.lines()[0], "starting");
    assert_eq!(service.log().len(), 1, "what is not JSON is no log line");
    assert_eq!(ports.operations_url(), "http://127.0.0.1:9001");
}

#[tokio::test]
async fn a_process_sees_its_settings_and_nothing_of_the_test() {
    let launch = shell("echo $LYCEUM__HTTP__PORT-$CARGO_MANIFEST_DIR; echo broken >&2; exit 3");
    let mut service = launch.setting("http.port", 0).start();
    assert_eq!(service.wait(PATIENCE).await.code(), Some(3));
    assert_eq!(service.lines(), ["0-"]);
    assert_eq!(service.error_lines(), ["broken"]);
}

#[tokio::test]
async fn a_process_can_be_asked_and_be_made_to_end() {
    let obedient = "trap 'echo bye; exit 0' TERM; echo ready; while :; do read -r end; done";
    let mut obedient = shell(obedient).start();
    ready(&obedient).await;
    obedient.terminate();
    assert!(obedient.wait(PATIENCE).await.success());
    assert_eq!(obedient.lines(), ["ready", "bye"]);

    let mut stubborn = shell("trap '' TERM INT; echo ready; while :; do read -r end; done").start();
    ready(&stubborn).await;
    stubborn.terminate();
    stubborn.interrupt();
    stubborn.kill9().await;
    assert_eq!(stubborn.wait(PATIENCE).await.signal(), Some(9));
}

#[tokio::test]
async fn a_dropped_process_is_dead() {
    let service = shell("trap '' TERM; echo ready; while :; do read -r end; done").start();
    ready(&service).await;
    let folder = format!("/proc/{}", service.id());
    let command_line = Path::new(&folder).join("cmdline");
    assert!(std::fs::read_to_string(&command_line).is_ok_and(|line| !line.is_empty()));
    drop(service);
    // Gone, or a zombie that waits to be collected and has no command line any more.
    assert!(
        std::fs::read_to_string(&command_line).is_ok_and(|line| line.is_empty())
            || !Path::new(&folder).exists()
    );
}

#[tokio::test]
async fn a_service_that_dies_at_start_fails_the_test_at_once_with_its_words() {
    let service = shell("echo 'lyceum-user: cannot listen on port 8001' >&2; exit 1").start();
    let listening = AssertUnwindSafe(service.ports(Duration::from_hours(1)));
    let panic = listening
        .catch_unwind()
        .await
        .expect_err("it never listens");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("no server.listening"), "{message}");
    assert!(message.contains("cannot listen on port 8001"), "{message}");
}
