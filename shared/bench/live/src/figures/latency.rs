//! From the moment somebody begins to publish until the person has heard.

use std::time::Duration;

use anyhow::Result;
use lyceum_bench_stage::median_of;
use tokio::time::{MissedTickBehavior, interval};

use super::ROUNDS;
use crate::crowd::Crowd;
use crate::publisher::Publisher;
use crate::report::Report;
use crate::stage::{Folder, Rows, Server, Stage};
use crate::table;
use crate::wire::{Kind, now_us};

/// Half of them listen on a WebSocket, half to an event stream.
const PEOPLE: i64 = 100;
/// Told to each in a round.
const EACH: u64 = 10;
/// From one notification to the next: far from what the service can do.
const PACE: Duration = Duration::from_millis(5);

pub(crate) async fn measure(stage: &Stage) -> Result<()> {
    let folder = Folder::new()?;
    let service = stage.service(&Rows::Sqlite, &folder, &[]).await?;
    let rounds = rounds(&service, &service).await?;
    row("on SQLite, in one process", &rounds, "p99 ≤ 10 ms");
    drop(service);

    let rows = stage.fresh().await?;
    let one = stage.service(&rows, &folder, &[]).await?;
    let on_one = self::rounds(&one, &one).await?;
    row("on Postgres, in one process", &on_one, "p99 ≤ 10 ms");
    let other = stage.service(&rows, &folder, &[]).await?;
    let across = self::rounds(&one, &other).await?;
    row(
        "on Postgres, published to one replica and heard from another",
        &across,
        "p99 ≤ 20 ms",
    );
    Ok(())
}

async fn rounds(publish_to: &Server, hear_from: &Server) -> Result<Vec<Report>> {
    let people: Vec<i64> = (1..=PEOPLE).collect();
    let (some, others) = people.split_at(people.len() / 2);
    let mut sockets = Crowd::gather(Kind::Socket, hear_from.port, some)?;
    let mut events = Crowd::gather(Kind::Sse, hear_from.port, others)?;
    let mut rounds = Vec::new();
    // One round more, to warm up.
    for round in 0..=ROUNDS {
        let mut publisher = Publisher::to(publish_to.port).await?;
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for _ in 0..EACH {
            for person in &people {
                pace.tick().await;
                publisher.tell(&[*person], now_us()?).await?;
            }
        }
        let mut heard = sockets.hear(EACH)?;
        heard.add(events.hear(EACH)?);
        if round > 0 {
            rounds.push(heard);
        }
    }
    Ok(rounds)
}

fn row(what: &str, rounds: &[Report], goal: &str) {
    let at = |percent| median_of(rounds, |round| round.percentile(percent));
    table::row(
        &format!("publish to deliver, {what}"),
        &format!(
            "p50 {:.1} ms, p99 {:.1} ms, last {:.1} ms",
            at(50),
            at(99),
            at(100)
        ),
        goal,
        "",
    );
}
