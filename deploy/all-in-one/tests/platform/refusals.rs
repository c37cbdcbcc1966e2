//! What stops the platform from starting: one clear line, an exit code that says so.

use std::net::TcpListener;

use lyceum_testing::process::Process;

use crate::platform::{PATIENCE, lyceum};

/// The lines of a start that must fail: standard error, and everything else.
async fn refused(mut lyceum: Process) -> (Vec<String>, Vec<String>) {
    let status = lyceum.wait(PATIENCE).await;
    assert_eq!(status.code(), Some(1));
    (lyceum.error_lines(), lyceum.lines())
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_before_anything_is_started() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let (errors, lines) = refused(
        lyceum(data.path())
            .variable("LYCEUM_TRACES_PORT", port)
            .start(),
    )
    .await;
    let expected =
        format!("lyceum: port {port} (trace page) is taken, choose another with --traces-port");
    assert_eq!(errors, [expected]);
    assert_eq!(lines, [""; 0]);
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_used_is_named_before_anything_is_started() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = file.path().join("data");
    let (errors, lines) = refused(lyceum(&folder).start()).await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains(folder.to_str().unwrap()), "{errors:?}");
    assert_eq!(lines, [""; 0]);
}

#[tokio::test]
async fn a_wrong_setting_is_named_by_the_service_that_has_it() {
    let data = tempfile::tempdir().unwrap();
    let start = lyceum(data.path())
        .setting("http.request_timeout_ms", "soon")
        .start();
    let (errors, lines) = refused(start).await;
    assert_eq!(errors, ["lyceum: user did not start: its reason is above"]);
    let named =
        |line: &String| line.starts_with("user") && line.contains("http.request_timeout_ms");
    assert!(lines.iter().any(named), "{lines:?}");
}

#[tokio::test]
async fn a_data_folder_in_use_is_not_used_twice() {
    let data = tempfile::tempdir().unwrap();
    let first = lyceum(data.path()).start();
    crate::platform::client(&first, "user").await;
    let (errors, _) = refused(lyceum(data.path()).start()).await;
    assert!(errors[0].contains("in use by another lyceum"), "{errors:?}");
}
