//! One process of ours, from its start to its end.
//!
//! A child lives as long as its standard input is open. Closing it asks for an orderly end, and
//! the system closes it for us however we end ourselves, `kill -9` included: no child is left
//! behind. Children are process groups of their own, so that Ctrl-C reaches us alone and each of
//! them is asked once.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child as Process, ChildStdin, Command};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::console::Console;

/// Bound on reading what an ended child has still written.
const LAST_LINES: Duration = Duration::from_secs(1);

/// A running process whose lines go to the console.
#[derive(Debug)]
pub(super) struct Child {
    process: Process,
    /// Not left in `process`, whose `wait` would close it.
    leash: Option<ChildStdin>,
    lines: JoinSet<()>,
}

/// How an asked-for end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// In time and with exit code 0.
    Clean,
    /// In time, but with something to complain of.
    Failed(ExitStatus),
    /// Killed, because time was up or a second signal came.
    Killed,
}

impl Child {
    /// Starts `command` with its standard input held open by us.
    pub(super) fn start(
        mut command: Command,
        name: &'static str,
        console: Console,
    ) -> io::Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = JoinSet::new();
        if let Some(stdout) = process.stdout.take() {
            lines.spawn(forward(stdout, name, console));
        }
        if let Some(stderr) = process.stderr.take() {
            lines.spawn(forward(stderr, name, console));
        }
        let leash = process.stdin.take();
        Ok(Self {
            process,
            leash,
            lines,
        })
    }

    /// Waits until it ends by itself. Cancel safe.
    pub(super) async fn ended(&mut self) -> io::Result<ExitStatus> {
        let ended = self.process.wait().await;
        self.read_last_lines().await;
        ended
    }

    /// Asks for the end and sees to it: by force after `patience`, or at once when told.
    pub(super) async fn stop(
        mut self,
        patience: Duration,
        abort: &CancellationToken,
    ) -> io::Result<Ending> {
        drop(self.leash.take());
        let ending = tokio::select! {
            ended = self.process.wait() => match ended? {
                status if status.success() => Ending::Clean,
                status => Ending::Failed(status),
            },
            () = tokio::time::sleep(patience) => Ending::Killed,
            () = abort.cancelled() => Ending::Killed,
        };
        if ending == Ending::Killed {
            self.process.kill().await?;
        }
        self.read_last_lines().await;
        Ok(ending)
    }

    async fn read_last_lines(&mut self) {
        let all = async { while self.lines.join_next().await.is_some() {} };
        // A grandchild could hold the pipe open; then what it writes is not ours to wait for.
        tokio::time::timeout(LAST_LINES, all).await.ok();
    }
}

async fn forward(stream: impl AsyncRead + Unpin, name: &'static str, console: Console) {
    let mut stream = BufReader::new(stream);
    let mut line = Vec::new();
    while matches!(stream.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
        console.line(name, String::from_utf8_lossy(line.trim_ascii_end()));
        line.clear();
    }
}
