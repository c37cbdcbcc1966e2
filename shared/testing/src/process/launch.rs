//! How a process is to be started: arguments, settings, nothing inherited.

use std::ffi::OsStr;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::Process;

/// A process about to be started.
#[derive(Debug)]
#[must_use = "nothing runs until it is started"]
pub struct Launch {
    command: Command,
}

impl Process {
    /// Any program, with an empty environment but for `PATH`.
    pub fn command(program: impl AsRef<Path>) -> Launch {
        let mut command = Command::new(program.as_ref());
        command.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Launch { command }
    }

    /// A service of ours: free ports, JSON log lines, and an end when the test's process ends,
    /// even if that is killed.
    pub fn service(binary: impl AsRef<Path>) -> Launch {
        Self::command(binary)
            .setting("http.port", 0)
            .setting("operations.port", 0)
            .setting("telemetry.log_format", "json")
            .setting("lifecycle.stop_with_stdin", true)
    }
}

impl Launch {
    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Sets a setting by its key, as the variable that stands for it: `http.port` is
    /// `LYCEUM__HTTP__PORT`.
    pub fn setting(self, key: &str, value: impl Display) -> Self {
        let variable = format!("LYCEUM__{}", key.replace('.', "__").to_uppercase());
        self.variable(&variable, value)
    }

    /// Sets an environment variable.
    pub fn variable(mut self, name: &str, value: impl Display) -> Self {
        self.command.env(name, value.to_string());
        self
    }

    /// Sets the folder it starts in.
    pub fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Starts it.
    ///
    /// # Panics
    /// When the program cannot be started, or outside a tokio runtime.
    pub fn start(mut self) -> Process {
        let streams = [Command::stdin, Command::stdout, Command::stderr];
        for stream in streams {
            stream(&mut self.command, Stdio::piped());
        }
        let program = self.command.as_std().get_program().to_owned();
        let child = self.command.kill_on_drop(true).spawn();
        let child =
            child.unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        Process::follow(child)
    }
}

/// The binary of this workspace with that name, built by whoever runs the tests.
///
/// A crate's own binaries are better named by `env!("CARGO_BIN_EXE_<name>")`, which builds them.
///
/// # Panics
/// When it has not been built.
pub fn binary(name: &str) -> PathBuf {
    // target/<profile>/deps/<this test>-<hash>
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.ancestors().nth(2).expect("a test lies in deps");
    let binary = folder.join(name);
    assert!(
        binary.is_file(),
        "{} is missing: run `cargo build --workspace --bins` first",
        binary.display()
    );
    binary
}
