//! Commands that end: nobody is there to answer a question, and nothing waits for ever.

use std::ffi::OsStr;
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// The longest a command may take: an image built from nothing.
const LIMIT: Duration = Duration::from_mins(20);

/// The command line of docker.
pub fn docker() -> Command {
    Command::new("docker")
}

/// Runs a command to its end.
///
/// # Panics
/// When it is not there, or has no end.
pub async fn finished(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output()).await;
    output
        .expect("the command ends")
        .expect("the command is there")
}

/// Runs a command that must succeed; its standard output.
///
/// # Panics
/// When it fails, with its standard error.
pub async fn run(command: &mut Command) -> String {
    let output = finished(command).await;
    let arguments: Vec<&OsStr> = command.as_std().get_args().collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
