//! Listeners, as who conducts sees them.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU8, Ordering};

use anyhow::{Result, bail, ensure};
use lyceum_bench_stage::process::Process;

use crate::listener::Plan;
use crate::report::Report;
use crate::wire::Kind;

/// Streams of one process, each process on an address of its own: a process may have no more files.
const PER_PROCESS: usize = 5_000;

/// How many crowds there have been.
static GATHERED: AtomicU8 = AtomicU8::new(0);

/// Open streams; dropping them hangs up.
pub(crate) struct Crowd(Vec<(Process, u64)>);

impl Crowd {
    /// Opens one stream for each of `people`.
    pub(crate) fn gather(kind: Kind, port: u16, people: &[i64]) -> Result<Self> {
        // An address has 28 000 ports, and each is left alone for a minute after its stream: neither
        // another crowd nor the next run finds those of this one.
        let run = 1 + u8::try_from(std::process::id() % 250)?;
        let gathered = GATHERED.fetch_add(1, Ordering::Relaxed);
        let mut crowd = Vec::new();
        for (number, people) in people.chunks(PER_PROCESS).enumerate() {
            let mut process = Process::talker("listener", &[])?;
            let plan = Plan {
                kind,
                port,
                address: Ipv4Addr::new(127, run, gathered, 2 + u8::try_from(number)?),
                people: people.to_vec(),
            };
            process.tell(&serde_json::to_string(&plan)?)?;
            crowd.push((process, people.len() as u64));
        }
        for (process, _) in &mut crowd {
            let line = process.line()?;
            ensure!(line == "open", "a listener said {line}");
        }
        Ok(Self(crowd))
    }

    pub(crate) fn size(&self) -> u64 {
        self.0.iter().map(|(_, streams)| streams).sum()
    }

    /// Waits until `each` messages more were heard on each stream.
    pub(crate) fn hear(&mut self, each: u64) -> Result<Report> {
        let mut all = Report::default();
        for (process, streams) in &mut self.0 {
            process.tell(&(*streams * each).to_string())?;
        }
        for (process, _) in &mut self.0 {
            all.add(serde_json::from_str(&process.line()?)?);
        }
        if let Some(fault) = &all.fault {
            bail!("{fault}");
        }
        let wanted = self.size() * each;
        ensure!(all.heard == wanted, "{} of {wanted} heard", all.heard);
        Ok(all)
    }
}
