//! The load generator: so many connections, each of which sends its next request when the last one
//! is answered. It reads a [`Plan`] from standard input and writes an [`Outcome`] to standard
//! output.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use lyceum_bench_stage::http::{self, Connection};
use serde::{Deserialize, Serialize};

/// What to ask.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) port: u16,
    pub(crate) connections: usize,
    pub(crate) seconds: f64,
    /// Paths, each with the access token to ask it with; taken in turn.
    pub(crate) targets: Vec<(String, String)>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) answers: u32,
    pub(crate) seconds: f64,
    /// The median request, in seconds.
    pub(crate) p50: f64,
    /// The slowest in a hundred, in seconds.
    pub(crate) p99: f64,
}

impl Outcome {
    pub(crate) fn per_second(&self) -> f64 {
        f64::from(self.answers) / self.seconds
    }
}

impl Plan {
    /// Has a process of its own carry it out.
    pub(crate) fn carry_out(&self) -> Result<Outcome> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("load")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        if let Some(mut plan) = child.stdin.take() {
            plan.write_all(&serde_json::to_vec(self)?)?;
        }
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "the load generator failed");
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The process of its own.
pub(crate) fn run() -> Result<()> {
    let plan: Plan = serde_json::from_reader(std::io::stdin())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(load(plan))?;
    Ok(serde_json::to_writer(std::io::stdout(), &outcome)?)
}

async fn load(plan: Plan) -> Result<Outcome> {
    let requests = plan.targets.iter();
    let requests: Arc<Vec<_>> = Arc::new(
        requests
            .map(|(path, token)| http::get(path, token))
            .collect(),
    );
    let begun = Instant::now();
    let end = begun + Duration::from_secs_f64(plan.seconds);
    let callers = (0..plan.connections).map(|caller| {
        let requests = requests.clone();
        tokio::spawn(async move {
            let mut connection = Connection::to(plan.port).await?;
            let mut took = Vec::with_capacity(1 << 16);
            let mut next = caller;
            while Instant::now() < end {
                let sent = Instant::now();
                let request = &requests[next % requests.len()];
                let (status, _) = connection.exchange(request).await?;
                ensure!(status == 200, "answered {status}");
                took.push(sent.elapsed());
                next += plan.connections;
            }
            anyhow::Ok(took)
        })
    });
    let mut took = Vec::new();
    for caller in try_join_all(callers).await? {
        took.extend(caller?);
    }
    took.sort_unstable();
    let quantile = |share: usize| took.get(took.len() * share / 100);
    let quantile = |share| quantile(share).map_or(0.0, Duration::as_secs_f64);
    Ok(Outcome {
        answers: u32::try_from(took.len())?,
        seconds: begun.elapsed().as_secs_f64(),
        p50: quantile(50),
        p99: quantile(99),
    })
}
