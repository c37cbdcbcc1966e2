//! Who is measured when.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use lyceum_bench_stage::variable;
use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

use crate::figures::{broadcast, idle, latency, mail, publish, rate};
use crate::stage::Stage;
use crate::table;

/// Each by its name.
const FIGURES: [&str; 6] = ["idle", "broadcast", "rate", "latency", "publish", "mail"];

/// Measures what `arguments` name, or everything.
pub(crate) fn run(binaries: Option<String>, arguments: impl Iterator<Item = String>) -> Result<()> {
    let binaries = PathBuf::from(binaries.context("the folder of the service's binary, first")?);
    let postgres = variable("TEST_POSTGRES_URL")?;
    let wanted: Vec<String> = arguments.collect();
    for name in &wanted {
        ensure!(
            FIGURES.contains(&name.as_str()),
            "{name}: not of {FIGURES:?}"
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            done = measure(&binaries, postgres, &wanted) => done,
            _ = terminated.recv() => bail!("told to stop"),
            _ = ctrl_c() => bail!("told to stop"),
        }
    })
}

async fn measure(binaries: &Path, postgres: String, wanted: &[String]) -> Result<()> {
    let stage = Stage::set(binaries, postgres)?;
    table::head();
    for name in FIGURES {
        if !wanted.is_empty() && !wanted.iter().any(|one| one == name) {
            continue;
        }
        match name {
            "idle" => idle::measure(&stage).await?,
            "broadcast" => broadcast::measure(&stage).await?,
            "rate" => rate::measure(&stage).await?,
            "latency" => latency::measure(&stage).await?,
            "publish" => publish::measure(&stage).await?,
            _ => mail::measure(&stage).await?,
        }
    }
    Ok(())
}
