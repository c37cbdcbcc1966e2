//! A real process under the test's control: followed by its log, stopped by signals.
//!
//! ```no_run
//! # async fn example() {
//! # use lyceum_testing::{PATIENCE, http::Client, process::{Process, binary}};
//! let mut course = Process::service(binary("lyceum-course"))
//!     .setting("database.url", "sqlite:///tmp/course.db?mode=rwc")
//!     .start();
//! let ports = course.ports(PATIENCE).await;
//! let client = Client::new(ports.api_url());
//! course.terminate();
//! assert!(course.wait(PATIENCE).await.success());
//! # }
//! ```
//!
//! Dropping kills it, by its own id, and returns when it is dead.

mod launch;
mod ports;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use serde_json::Value;
use tokio::process::{Child, ChildStdin};

pub use launch::{Launch, binary};
pub use ports::free_ports;

use crate::journal::Journal;

/// How long output may take to arrive once the process that wrote it has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A started process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Kept open: its end is the sign for the process to end as well.
    _stdin: Option<ChildStdin>,
    stdout: Journal<Output>,
    stderr: Journal<Output>,
}

/// What has come out of a stream.
#[derive(Debug, Clone)]
enum Output {
    Line(String),
    End,
}

/// Where a service listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// For callers.
    pub api: u16,
    /// For operators.
    pub operations: u16,
}

impl Ports {
    /// `http://127.0.0.1:<api>`
    pub fn api_url(self) -> String {
        format!("http://127.0.0.1:{}", self.api)
    }

    /// `http://127.0.0.1:<operations>`
    pub fn operations_url(self) -> String {
        format!("http://127.0.0.1:{}", self.operations)
    }
}

impl Process {
    fn follow(mut child: Child) -> Self {
        const PIPED: &str = "all streams are piped";
        let stdout = child.stdout.take().expect(PIPED).into_owned_fd();
        let stderr = child.stderr.take().expect(PIPED).into_owned_fd();
        Self {
            _stdin: child.stdin.take(),
            child,
            stdout: read_lines(stdout.expect(PIPED)),
            stderr: read_lines(stderr.expect(PIPED)),
        }
    }

    /// Its id.
    ///
    /// # Panics
    /// When it has ended and been waited for.
    pub fn id(&self) -> u32 {
        self.child.id().expect("the process has not ended")
    }

    /// Every line it has written to standard output so far.
    pub fn lines(&self) -> Vec<String> {
        lines(&self.stdout)
    }

    /// Every line it has written to standard error so far.
    pub fn error_lines(&self) -> Vec<String> {
        lines(&self.stderr)
    }

    /// Every line of its JSON log so far; other lines are left out.
    pub fn log(&self) -> Vec<Value> {
        let lines = self.lines();
        let parsed = lines.iter().map(|line| serde_json::from_str(line));
        parsed.filter_map(Result::ok).collect()
    }

    /// Waits for a line on standard output that `pick` makes something of, and returns that.
    ///
    /// # Panics
    /// When `deadline` passes or the output ends first: with all that was written.
    pub async fn wait_for_line<R>(
        &self,
        what: &str,
        mut pick: impl FnMut(&str) -> Option<R>,
        deadline: Duration,
    ) -> R {
        let mut seen = 0;
        let found = self.stdout.wait_for(deadline, |output| {
            let unseen = &output[seen..];
            seen = output.len();
            unseen.iter().find_map(|output| match output {
                Output::Line(line) => pick(line).map(Some),
                Output::End => Some(None),
            })
        });
        if let Some(found) = found.await.flatten() {
            return found;
        }
        // What it said last is often on the other stream, and may still be on its way.
        ended(&self.stderr, LAST_WORDS).await;
        panic!("no {what} within {deadline:?}\n{}", self.transcript())
    }

    /// Waits for the first log line of an `event`, and returns it.
    ///
    /// # Panics
    /// As [`Process::wait_for_line`].
    pub async fn wait_for_event(&self, event: &str, deadline: Duration) -> Value {
        let pick = |line: &str| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["event"] == event).then_some(line)
        };
        self.wait_for_line(event, pick, deadline).await
    }

    /// Waits until the service listens, and returns where.
    ///
    /// # Panics
    /// As [`Process::wait_for_line`].
    pub async fn ports(&self, deadline: Duration) -> Ports {
        let line = self.wait_for_event("server.listening", deadline).await;
        let port = |name: &str| {
            let port = line[name].as_u64().and_then(|port| port.try_into().ok());
            port.unwrap_or_else(|| panic!("no {name} in {line}"))
        };
        Ports {
            api: port("port"),
            operations: port("operations_port"),
        }
    }

    /// Asks it to end (SIGTERM).
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Asks it to end as Ctrl-C does (SIGINT).
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Kills it (SIGKILL) and returns when it is dead.
    pub async fn kill9(&mut self) {
        let killed = self.child.kill().await;
        killed.expect("a child can be killed");
    }

    /// Waits for its end, and for the last of its output.
    ///
    /// # Panics
    /// When `deadline` passes first: with all that was written.
    pub async fn wait(&mut self, deadline: Duration) -> ExitStatus {
        let Ok(status) = tokio::time::timeout(deadline, self.child.wait()).await else {
            panic!("still running after {deadline:?}\n{}", self.transcript());
        };
        // A grandchild may hold a stream open; it is not this process that is waited for then.
        ended(&self.stdout, LAST_WORDS).await;
        ended(&self.stderr, LAST_WORDS).await;
        status.expect("a child can be waited for")
    }

    fn signal(&self, signal: Signal) {
        let sent = kill_process(self.pid().expect("the process has not ended"), signal);
        sent.expect("a child can be signalled");
    }

    /// `None` when it has ended and been waited for.
    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.child.id()?.try_into().ok()?)
    }

    fn transcript(&self) -> String {
        let (stdout, stderr) = (self.lines().join("\n"), self.error_lines().join("\n"));
        format!("--- standard output\n{stdout}\n--- standard error\n{stderr}")
    }
}

impl Drop for Process {
    #[expect(
        clippy::print_stderr,
        reason = "the failed test shows what its processes said"
    )]
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}", self.transcript());
        }
        if let Some(pid) = self.pid()
            && self.child.start_kill().is_ok()
        {
            // Wait for the death only; tokio collects the status.
            let dead = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            waitid(WaitId::Pid(pid), dead).ok();
        }
    }
}

/// Follows a stream on a thread, so that a busy test never blocks the process that writes.
fn read_lines(stream: OwnedFd) -> Journal<Output> {
    let journal = Journal::default();
    let written = journal.clone();
    thread::spawn(move || {
        let mut reader = BufReader::new(File::from(stream));
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            let text = String::from_utf8_lossy(&line);
            written.push(Output::Line(text.trim_end_matches(['\r', '\n']).to_owned()));
            line.clear();
        }
        written.push(Output::End);
    });
    journal
}

/// Waits until a stream has ended, at most until `deadline`.
async fn ended(stream: &Journal<Output>, deadline: Duration) {
    let end = |output: &[Output]| matches!(output.last(), Some(Output::End)).then_some(());
    stream.wait_for(deadline, end).await.unwrap_or_default();
}

fn lines(stream: &Journal<Output>) -> Vec<String> {
    let output = stream.entries().into_iter();
    let lines = output.filter_map(|output| match output {
        Output::Line(line) => Some(line),
        Output::End => None,
    });
    lines.collect()
}
