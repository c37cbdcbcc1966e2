//! Processes that are started here, what they say of themselves, and what they use.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A process that ends with this, and by itself when whoever started it is gone.
pub struct Process {
    child: Child,
    /// What one of our own roles says.
    said: Option<BufReader<ChildStdout>>,
}

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// On a core, in its own code and in the system's, in seconds.
    pub cpu_s: f64,
}

impl Process {
    /// Starts one of this program's own roles, which says where it listens.
    pub fn role(role: &str, variables: &[(&str, String)]) -> Result<(Self, SocketAddr)> {
        let mut process = Self::talker(role, variables)?;
        let line = process.line()?;
        let address = line.parse();
        Ok((
            process,
            address.with_context(|| format!("{role} said {line:?}"))?,
        ))
    }

    /// Starts one of this program's own roles, with which a conversation is held.
    pub fn talker(role: &str, variables: &[(&str, String)]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).envs(variables.iter().cloned());
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = child.stdout.take().map(BufReader::new);
        Ok(Self { child, said })
    }

    /// Says a line to it.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        let listens = self.child.stdin.as_mut().context("it does not listen")?;
        writeln!(listens, "{line}")?;
        Ok(listens.flush()?)
    }

    /// The next line it says.
    pub fn line(&mut self) -> Result<String> {
        let said = self.said.as_mut().context("it says nothing")?;
        let mut line = String::new();
        ensure!(said.read_line(&mut line)? > 0, "it has ended");
        Ok(line.trim().to_owned())
    }

    /// Starts a service with settings from variables alone, those of this process' own environment
    /// last; what it logs goes nowhere.
    pub fn service(binary: &Path, variables: &[(&str, String)]) -> Result<Self> {
        let child = Command::new(binary)
            .env_clear()
            .envs(variables.iter().cloned())
            .envs(std::env::vars().filter(|(name, _)| name.starts_with("LYCEUM__")))
            // As the images have it.
            .envs([
                ("MALLOC_MMAP_THRESHOLD_", "1048576"),
                ("MALLOC_ARENA_MAX", "2"),
                ("LYCEUM__LIFECYCLE__STOP_WITH_STDIN", "true"),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        child
            .map(|child| Self { child, said: None })
            .with_context(|| format!("{} does not start", binary.display()))
    }

    /// What it has used since it was started.
    pub fn usage(&self) -> Result<Usage> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // Behind the name, which may hold anything: the 14th and 15th field, in hundredths.
        let (_, fields) = stat.rsplit_once(')').context("no stat")?;
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks = ticks.map(|field| field.parse::<f64>().unwrap_or(0.0));
        let cpu_s = ticks.sum::<f64>() / 100.0;
        Ok(Usage { cpu_s })
    }

    /// Resident memory, in bytes.
    pub fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        let kilobytes: u64 = number.context("no VmRSS")?.parse()?;
        Ok(kilobytes * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Says to whoever started this process where it listens, and ends it when they are gone.
pub fn announce(address: Option<&SocketAddr>) -> Result<()> {
    let address = address.context("listens nowhere")?;
    let mut out = std::io::stdout();
    writeln!(out, "{address}")?;
    out.flush()?;
    std::thread::spawn(end_with_stdin);
    Ok(())
}

#[expect(clippy::exit, reason = "nobody is left to return to")]
fn end_with_stdin() {
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
    std::process::exit(0);
}
