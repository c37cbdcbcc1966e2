//! What a stream costs on which nothing happens, each of another person.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use lyceum_bench_stage::median_of;
use lyceum_bench_stage::process::Process;
use tokio::time::sleep;

use crate::crowd::Crowd;
use crate::stage::{Folder, Rows, Server, Stage};
use crate::table;
use crate::wire::Kind;

/// As many as the goal names.
const STREAMS: usize = 20_000;
/// Files of a service that are no streams: listeners, database, log.
const OTHER_FILES: usize = 300;
/// They take long.
const ROUNDS: usize = 2;
/// What opening has left behind is done with by then.
const SETTLED: Duration = Duration::from_secs(3);
/// Twice from one ping to the next, thrice from one comment of an event stream.
const WATCHED: Duration = Duration::from_secs(50);

struct Idle {
    bytes: f64,
    cpu_s: f64,
}

pub(crate) async fn measure(stage: &Stage) -> Result<()> {
    let limit = open_files()?;
    let streams = STREAMS.min(limit.saturating_sub(OTHER_FILES));
    let reason = if streams < STREAMS {
        format!(", as a process may open {limit} files here")
    } else {
        String::new()
    };
    let people: Vec<i64> = (1..).take(streams).collect();
    let mut bare = Vec::new();
    for _ in 0..ROUNDS {
        bare.push(idle(Kind::Bare, &Stage::bare()?, &people).await?);
    }
    for (kind, goal) in [(Kind::Socket, "≤ 11 KB"), (Kind::Sse, "≤ 8 KB")] {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let folder = Folder::new()?;
            let service = stage.service(&Rows::Sqlite, &folder, &[]).await?;
            rounds.push(idle(kind, &service, &people).await?);
        }
        let bytes = |rounds: &[Idle]| {
            let each = median_of(rounds, |round| round.bytes);
            format!("{:.1} KB", each / 1e3)
        };
        let cpu = |rounds: &[Idle]| {
            let each = median_of(rounds, |round| round.cpu_s);
            format!("{:.2} µs a second", each * 1e6)
        };
        let what = format!("{} idle {}{reason}", people.len(), kind.name());
        table::row(
            &format!("{what}: resident memory of each"),
            &bytes(&rounds),
            goal,
            &bytes(&bare),
        );
        table::row(
            &format!("{what}: time on a core of each"),
            &cpu(&rounds),
            "published",
            &cpu(&bare),
        );
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
async fn idle(kind: Kind, server: &Server, people: &[i64]) -> Result<Idle> {
    let process: &Process = &server.process;
    let before = process.resident()?;
    let crowd = Crowd::gather(kind, server.port, people)?;
    sleep(SETTLED).await;
    let opened = process.usage()?;
    sleep(WATCHED).await;
    let spent = process.usage()?.cpu_s - opened.cpu_s;
    let grown = process.resident()?.saturating_sub(before);
    let streams = crowd.size() as f64;
    Ok(Idle {
        bytes: grown as f64 / streams,
        cpu_s: spent / WATCHED.as_secs_f64() / streams,
    })
}

/// How many files a process may open, as those that are started here.
fn open_files() -> Result<usize> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    Ok(soft.context("no limit of open files")?.parse()?)
}
