//! Processes that are started here, what they say of themselves, and what they use.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// A process that ends with this.
pub(crate) struct Process(Child);

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// On a core, in its own code and in the system's, in seconds.
    pub(crate) cpu_s: f64,
}

impl Process {
    /// Starts one of this program's own roles, which says where it listens.
    pub(crate) fn role(role: &str, variables: &[(&str, String)]) -> Result<(Self, SocketAddr)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).envs(variables.iter().cloned());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = child.stdout.take().context("no standard output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let address = line.trim().parse();
        let process = Self(child);
        Ok((
            process,
            address.with_context(|| format!("{role} said {line:?}"))?,
        ))
    }

    /// Starts a service with settings from variables alone, those of this process' own environment
    /// last; what it logs goes nowhere.
    pub(crate) fn service(binary: &Path, variables: &[(&str, String)]) -> Result<Self> {
        let child = Command::new(binary)
            .env_clear()
            .envs(variables.iter().cloned())
            .envs(std::env::vars().filter(|(name, _)| name.starts_with("LYCEUM__")))
            // As the images have it.
            .envs([
                ("MALLOC_MMAP_THRESHOLD_", "1048576"),
                ("MALLOC_ARENA_MAX", "2"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        child
            .map(Self)
            .with_context(|| format!("{} does not start", binary.display()))
    }

    pub(crate) fn usage(&self) -> Result<Usage> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // Behind the name, which may hold anything: the 14th and 15th field, in hundredths.
        let (_, fields) = stat.rsplit_once(')').context("no stat")?;
        let ticks = fields.split_whitespace().skip(11).take(2);
        let ticks = ticks.map(|field| field.parse::<f64>().unwrap_or(0.0));
        let cpu_s = ticks.sum::<f64>() / 100.0;
        Ok(Usage { cpu_s })
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        let kilobytes: u64 = number.context("no VmRSS")?.parse()?;
        Ok(kilobytes * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Says to whoever started this process where it listens.
pub(crate) fn announce(address: Option<&SocketAddr>) -> Result<()> {
    let address = address.context("listens nowhere")?;
    let mut out = std::io::stdout();
    writeln!(out, "{address}")?;
    Ok(out.flush()?)
}
