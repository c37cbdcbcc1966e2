//! The commands of `lyceum-user`, as an operator runs them.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use lyceum_testing::database::TestDatabase;

/// Runs one on this database, with these variables and a line on standard input.
pub(crate) async fn lyceum_user(
    database: &TestDatabase,
    variables: &[(&str, &str)],
    arguments: &[&str],
    input: &str,
) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lyceum-user"));
    command
        .env_clear()
        .env("LYCEUM__DATABASE__URL", database.url())
        .env("LYCEUM__DATABASE__MIN_CONNECTIONS", "0")
        .envs(variables.iter().copied())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = format!("{input}\n");
    let ran = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        // It may have ended already, for a fault in its arguments.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        child.wait_with_output().unwrap()
    });
    ran.await.unwrap()
}

/// What it wrote to standard error.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
