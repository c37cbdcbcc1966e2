//! How many messages a core delivers.

use anyhow::Result;
use lyceum_bench_stage::http::Connection;
use lyceum_bench_stage::median_of;

use super::ROUNDS;
use crate::crowd::Crowd;
use crate::publisher::{Publisher, tell_bare};
use crate::stage::{Folder, Rows, Stage};
use crate::table;
use crate::wire::{Kind, now_us};

/// Of one person.
const STREAMS: usize = 1_000;
/// Told at once, before anybody waits for them: fewer than the service keeps beside its rows.
const BURST: usize = 4;
const BURSTS: usize = 150;

/// Delivered messages per second of a core.
struct Turn(f64);

pub(crate) async fn measure(stage: &Stage) -> Result<()> {
    for kind in [Kind::Socket, Kind::Sse] {
        let folder = Folder::new()?;
        let service = stage.service(&Rows::Sqlite, &folder, &[]).await?;
        let bare = Stage::bare()?;
        let mut ours_hear = Crowd::gather(kind, service.port, &[1; STREAMS])?;
        let mut bare_hear = Crowd::gather(Kind::Bare, bare.port, &[1; STREAMS])?;
        let (mut ours, mut limit, mut bytes) = (Vec::new(), Vec::new(), 0);
        // One round more, to warm up.
        for round in 0..=ROUNDS {
            let mut publisher = Publisher::to(service.port).await?;
            let before = service.process.usage()?;
            for _ in 0..BURSTS {
                publisher.tell(&[1; BURST], now_us()?).await?;
                let heard = ours_hear.hear(BURST as u64)?;
                bytes = usize::try_from(heard.bytes / heard.heard)?;
            }
            let turn = Turn::of(service.process.usage()?.cpu_s - before.cpu_s);
            let mut connection = Connection::to(bare.port).await?;
            let before = bare.process.usage()?;
            for _ in 0..BURSTS {
                tell_bare(&mut connection, BURST, bytes).await?;
                bare_hear.hear(BURST as u64)?;
            }
            let turn_of_bare = Turn::of(bare.process.usage()?.cpu_s - before.cpu_s);
            if round > 0 {
                ours.push(turn);
                limit.push(turn_of_bare);
            }
        }
        let rate = |turns: &[Turn]| format!("{:.0}/s", median_of(turns, |turn| turn.0));
        table::row(
            &format!(
                "delivered per second of a core, {STREAMS} {}, texts of 100 bytes in {bytes}",
                kind.name()
            ),
            &rate(&ours),
            "≥ 50000/s",
            &rate(&limit),
        );
    }
    Ok(())
}

impl Turn {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn of(cpu_s: f64) -> Self {
        Self((STREAMS * BURST * BURSTS) as f64 / cpu_s)
    }
}
