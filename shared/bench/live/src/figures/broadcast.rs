//! One notification to ten thousand sockets: of one person, and of ten thousand people.

use anyhow::Result;
use lyceum_bench_stage::http::Connection;
use lyceum_bench_stage::median_of;

use super::ROUNDS;
use crate::crowd::Crowd;
use crate::publisher::{Publisher, tell_all, tell_bare};
use crate::report::Report;
use crate::stage::{Folder, Rows, Stage};
use crate::table;
use crate::wire::{Kind, now_us};

const STREAMS: usize = 10_000;
/// Broadcasts of a round.
const SHOTS: usize = 10;
/// The guide's: so many of a broadcast are on their way at once.
const AT_ONCE: usize = 10;
const GOAL: &str = "p99 ≤ 100 ms";

pub(crate) async fn measure(stage: &Stage) -> Result<()> {
    for kind in [Kind::Socket, Kind::Sse] {
        one_person(stage, kind).await?;
    }
    many_people(stage).await
}

/// What is told to one person is told on all of their streams. Ours and the bare loop take turns.
async fn one_person(stage: &Stage, kind: Kind) -> Result<()> {
    let folder = Folder::new()?;
    let service = stage.service(&Rows::Sqlite, &folder, &[]).await?;
    let bare = Stage::bare()?;
    let mut ours_hear = Crowd::gather(kind, service.port, &vec![1; STREAMS])?;
    let mut bare_hear = Crowd::gather(Kind::Bare, bare.port, &vec![1; STREAMS])?;
    let (mut ours, mut limit) = (Vec::new(), Vec::new());
    // One round more, to warm up.
    for round in 0..=ROUNDS {
        let mut heard = Report::default();
        for _ in 0..SHOTS {
            let mut publisher = Publisher::to(service.port).await?;
            publisher.tell(&[1], now_us()?).await?;
            heard.add(ours_hear.hear(1)?);
        }
        let bytes = usize::try_from(heard.bytes / heard.heard)?;
        let mut heard_bare = Report::default();
        for _ in 0..SHOTS {
            let mut connection = Connection::to(bare.port).await?;
            tell_bare(&mut connection, 1, bytes).await?;
            heard_bare.add(bare_hear.hear(1)?);
        }
        if round > 0 {
            ours.push(heard);
            limit.push(heard_bare);
        }
    }
    table::row(
        &format!(
            "one notification on {STREAMS} {} of one person",
            kind.name()
        ),
        &spread(&ours),
        GOAL,
        &spread(&limit),
    );
    Ok(())
}

/// A row, a letter and a place in a sequence for each.
async fn many_people(stage: &Stage) -> Result<()> {
    let folder = Folder::new()?;
    let service = stage.service(&Rows::Sqlite, &folder, &[]).await?;
    let people: Vec<i64> = (1..).take(STREAMS).collect();
    let mut crowd = Crowd::gather(Kind::Socket, service.port, &people)?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        tell_all(service.port, &people, AT_ONCE).await?;
        rounds.push(crowd.hear(1)?);
    }
    table::row(
        &format!(
            "one announcement to {STREAMS} people, a WebSocket each, {AT_ONCE} requests at once"
        ),
        &spread(&rounds),
        GOAL,
        "",
    );
    Ok(())
}

fn spread(rounds: &[Report]) -> String {
    let at = |percent| median_of(rounds, |round| round.percentile(percent));
    format!(
        "p50 {:.0} ms, p99 {:.0} ms, last {:.0} ms",
        at(50),
        at(99),
        at(100)
    )
}
