//! The scene as curves, and as rows of blocks in the terminal.

use std::time::Duration;

use lyceum_resilience::breaker::State;

use crate::load::PER_SECOND;
use crate::record::{Answer, DEADLINE, Phase, Record};

const BUCKET: Duration = Duration::from_millis(500);
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One half second.
pub(crate) struct Bucket {
    pub(crate) from: Duration,
    /// Per second.
    pub(crate) answered: f64,
    pub(crate) refused: f64,
    pub(crate) sends: f64,
    /// Milliseconds.
    pub(crate) p99: f64,
    /// Of the last hop's client.
    state: Option<State>,
}

/// The scene in half seconds.
#[expect(clippy::cast_precision_loss, reason = "a few hundred a second")]
pub(crate) fn buckets(record: &Record) -> Vec<Bucket> {
    let (_, ends) = record.span(Phase::Recovered);
    let mut buckets = Vec::new();
    let mut from = Duration::ZERO;
    while from + BUCKET <= ends {
        let span = (from, from + BUCKET);
        let within: Vec<_> = record
            .calls
            .iter()
            .filter(|call| (span.0..span.1).contains(&call.at))
            .collect();
        let mut times: Vec<Duration> = within.iter().map(|call| call.took).collect();
        times.sort_unstable();
        let per_second = |count: usize| count as f64 / BUCKET.as_secs_f64();
        let answered = within
            .iter()
            .filter(|call| call.answer == Answer::Status(200))
            .count();
        let p99 = times.get(times.len().saturating_sub(1) * 99 / 100);
        buckets.push(Bucket {
            from,
            answered: per_second(answered),
            refused: per_second(within.len() - answered),
            sends: record.growth(span, |sight| sight.sends) as f64 / BUCKET.as_secs_f64(),
            p99: p99.map_or(0.0, |time| time.as_secs_f64() * 1e3),
            state: record
                .sight(span.1)
                .and_then(|sight| Some(sight.breakers[1].as_ref()?.state)),
        });
        from += BUCKET;
    }
    buckets
}

/// A row of blocks per curve, a column per half second.
pub(crate) fn terminal(record: &Record) -> String {
    let buckets = buckets(record);
    let full = f64::from(PER_SECOND);
    let row = |name: &str, top: f64, value: fn(&Bucket) -> f64| {
        let bars: String = buckets
            .iter()
            .map(|bucket| block(value(bucket) / top))
            .collect();
        format!("{name:>22} |{bars}| top {top:.0}\n")
    };
    let states = buckets.iter().map(|bucket| match bucket.state {
        Some(State::Open) => 'O',
        Some(State::HalfOpen) => 'h',
        _ => '.',
    });
    let (dead, alive) = record.span(Phase::Dead);
    let phases = buckets.iter().map(|bucket| {
        if (dead..alive).contains(&bucket.from) {
            'x'
        } else {
            '.'
        }
    });
    row("answered 200 /s", full, |bucket| bucket.answered)
        + &row("refused or failed /s", full, |bucket| bucket.refused)
        + &row("sends at last hop /s", full, |bucket| bucket.sends)
        + &row("p99, ms", millis(DEADLINE), |bucket| bucket.p99)
        + &format!(
            "{:>22} |{}|\n",
            "breaker of last hop",
            states.collect::<String>()
        )
        + &format!(
            "{:>22} |{}|\n",
            "last service dead",
            phases.collect::<String>()
        )
}

/// From nothing to a full block; what is not nothing shows.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 8"
)]
fn block(share: f64) -> char {
    let height = (share.clamp(0.0, 1.0) * 8.0).ceil() as usize;
    BLOCKS[height.min(8)]
}

pub(crate) fn millis(length: Duration) -> f64 {
    length.as_secs_f64() * 1e3
}
