//! How many letters leave in a second, to a server that takes everything.

use anyhow::{Context, Result};
use lyceum_bench_stage::median_of;
use lyceum_bench_stage::process::Process;

use super::ROUNDS;
use crate::publisher::tell_all;
use crate::stage::{Folder, Rows, Stage};
use crate::table;

/// To as many people.
const LETTERS: usize = 5_000;

pub(crate) async fn measure(stage: &Stage) -> Result<()> {
    let default: [(&'static str, String); 0] = [];
    let wide = [
        ("LYCEUM__MAIL__CONCURRENCY", "50".to_owned()),
        ("LYCEUM__MAIL__BATCH", "200".to_owned()),
    ];
    for (what, on_postgres, settings) in [
        ("on SQLite, 5 at once", false, &default[..]),
        ("on Postgres, 5 at once", true, &default),
        ("on Postgres, 50 at once and 200 claimed", true, &wide),
    ] {
        let mut rates = Vec::new();
        for _ in 0..ROUNDS {
            let rows = if on_postgres {
                stage.fresh().await?
            } else {
                Rows::Sqlite
            };
            rates.push(letters_per_second(stage, &rows, settings).await?);
        }
        table::row(
            &format!("letters per second to a server that takes everything, {what}"),
            &format!("{:.0}/s", median_of(&rates, |rate| *rate)),
            "≥ 5000/s",
            "",
        );
    }
    Ok(())
}

/// The letters wait before anybody sends one.
async fn letters_per_second(
    stage: &Stage,
    rows: &Rows,
    settings: &[(&'static str, String)],
) -> Result<f64> {
    let folder = Folder::new()?;
    let people: Vec<i64> = (1..).take(LETTERS).collect();
    let service = stage.service(rows, &folder, &[]).await?;
    tell_all(service.port, &people, 4).await?;
    drop(service);
    let (mut sink, address) = Process::role("sink", &[])?;
    let mut variables = vec![
        ("LYCEUM__MAIL__RUN", "true".to_owned()),
        ("LYCEUM__MAIL__TRANSPORT", "smtp".to_owned()),
        ("LYCEUM__MAIL__SMTP__HOST", "127.0.0.1".to_owned()),
        ("LYCEUM__MAIL__SMTP__PORT", address.port().to_string()),
    ];
    variables.extend(settings.iter().cloned());
    let _sender = stage.service(rows, &folder, &variables).await?;
    let (mut letters, mut first_us, mut last_us) = (0, u64::MAX, 0);
    // It speaks when nothing has come for a while.
    while letters < LETTERS {
        let line = sink.line().context("the mail server")?;
        let (count, first, last): (usize, u64, u64) = serde_json::from_str(&line)?;
        letters += count;
        first_us = first_us.min(first);
        last_us = last_us.max(last);
    }
    let took_us = u32::try_from(last_us - first_us)?;
    Ok(f64::from(u32::try_from(letters)?) / f64::from(took_us) * 1e6)
}
