//! How many events a service takes in through Postgres.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use lyceum_bench_stage::median_of;
use lyceum_contracts::event::MAX_BATCH;

use super::ROUNDS;
use crate::publisher::Publisher;
use crate::rows;
use crate::stage::{Folder, Rows, Stage};
use crate::table;
use crate::wire::now_us;

/// Requests on their way at once, as many as writers of the limit.
pub(crate) const AT_ONCE: i64 = 8;
/// How long a turn is.
pub(crate) const TURN: Duration = Duration::from_secs(4);
/// Whom a writer writes to in turn, nobody else's.
pub(crate) const PEOPLE_EACH: i64 = 1_000;

pub(crate) async fn measure(stage: &Stage) -> Result<()> {
    let folder = Folder::new()?;
    let rows = stage.fresh().await?;
    let service = stage.service(&rows, &folder, &[]).await?;
    let Rows::Postgres(url) = &rows else {
        return Ok(());
    };
    let (mut ours, mut one_by_one, mut by_the_hundred) = (Vec::new(), Vec::new(), Vec::new());
    // One round more, to warm up.
    for round in 0..=ROUNDS {
        let rate = publish(service.port).await?;
        let each = rows::rate(url, "one")?;
        let hundreds = rows::rate(url, "hundred")?;
        if round > 0 {
            ours.push(rate);
            one_by_one.push(each);
            by_the_hundred.push(hundreds);
        }
    }
    let rate = |rates: &[f64]| format!("{:.0}/s", median_of(rates, |rate| *rate));
    for (limit, rates) in [
        (
            "the same rows by bare sqlx, a transaction each",
            &one_by_one,
        ),
        (
            "a transaction and three statements for a hundred",
            &by_the_hundred,
        ),
    ] {
        table::row(
            &format!("events taken in through Postgres, beside {limit}"),
            &rate(&ours),
            "≥ 10000/s",
            &rate(rates),
        );
    }
    Ok(())
}

/// Events per second.
async fn publish(port: u16) -> Result<f64> {
    let begun = Instant::now();
    let taken_in = (0..AT_ONCE).map(|number| async move {
        let mut publisher = Publisher::to(port).await?;
        let first = 1 + number * PEOPLE_EACH;
        let mut people = (first..first + PEOPLE_EACH).cycle();
        let mut events: u32 = 0;
        while begun.elapsed() < TURN {
            let batch: Vec<i64> = people.by_ref().take(MAX_BATCH).collect();
            publisher.tell(&batch, now_us()?).await?;
            events += u32::try_from(batch.len())?;
        }
        anyhow::Ok(events)
    });
    let events: u32 = try_join_all(taken_in).await?.into_iter().sum();
    Ok(f64::from(events) / begun.elapsed().as_secs_f64())
}
