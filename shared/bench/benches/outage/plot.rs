//! The scene as a picture: rows of blocks in the terminal, lines in an SVG.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use lyceum_resilience::breaker::State;

use crate::load::PER_SECOND;
use crate::record::{Answer, DEADLINE, Phase, Record};
use crate::scene::Scene;

const BUCKET: Duration = Duration::from_millis(500);
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One half second.
struct Bucket {
    from: Duration,
    /// Per second.
    answered: f64,
    refused: f64,
    sends: f64,
    /// Milliseconds.
    p99: f64,
    /// Of the last hop's client.
    state: Option<State>,
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred a second")]
fn buckets(record: &Record) -> Vec<Bucket> {
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

fn millis(length: Duration) -> f64 {
    length.as_secs_f64() * 1e3
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 58.0;

/// Writes `target/outage-<scene>.svg`: rates above, p99 below.
pub(crate) fn svg(scene: &Scene, record: &Record) -> anyhow::Result<()> {
    let buckets = buckets(record);
    let seconds = record.span(Phase::Recovered).1.as_secs_f64();
    let x = |at: Duration| LEFT + at.as_secs_f64() / seconds * WIDTH;
    let (dead, alive) = record.span(Phase::Dead);
    let rates = f64::from(PER_SECOND) * 1.35;
    let mut svg = String::new();
    writeln!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 980 500" font-family="sans-serif" font-size="12" fill="#222">
<rect width="980" height="500" fill="#fff"/>
<text x="{LEFT}" y="20" font-size="14" font-weight="bold">Three services in a row: {}</text>"##,
        scene.title
    )?;
    for top in [TOP, TOP + HEIGHT + 40.0] {
        let (from, width) = (x(dead), x(alive) - x(dead));
        let height = if top > TOP { HEIGHT / 2.0 } else { HEIGHT };
        writeln!(
            svg,
            r##"<rect x="{from:.1}" y="{top}" width="{width:.1}" height="{height}" fill="#f6dddd"/>"##
        )?;
        writeln!(
            svg,
            r##"<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{height}" fill="none" stroke="#bbb"/>"##
        )?;
    }
    let mut curve = |color: &str,
                     name: &str,
                     at: f64,
                     top: f64,
                     height: f64,
                     full: f64,
                     value: fn(&Bucket) -> f64| {
        let points: String = buckets
            .iter()
            .map(|bucket| {
                format!(
                    "{:.1},{:.1} ",
                    x(bucket.from),
                    top + height * (1.0 - (value(bucket) / full).min(1.0))
                )
            })
            .collect();
        writeln!(
            svg,
            r##"<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.8"/>"##
        )?;
        writeln!(
            svg,
            r##"<text x="{at}" y="44" fill="{color}">{name}</text>"##
        )
    };
    curve(
        "#1a7f37",
        "answered 200, per second",
        LEFT,
        TOP,
        HEIGHT,
        rates,
        |bucket| bucket.answered,
    )?;
    curve(
        "#8a8a8a",
        "refused or failed, per second",
        LEFT + 190.0,
        TOP,
        HEIGHT,
        rates,
        |bucket| bucket.refused,
    )?;
    curve(
        "#0b62c4",
        "sends at the last hop, per second",
        LEFT + 400.0,
        TOP,
        HEIGHT,
        rates,
        |bucket| bucket.sends,
    )?;
    let lower = TOP + HEIGHT + 40.0;
    curve(
        "#9a3fb5",
        "p99 at the first hop (below)",
        LEFT + 640.0,
        lower,
        HEIGHT / 2.0,
        millis(DEADLINE) * 1.1,
        |bucket| bucket.p99,
    )?;
    for share in [0.0, 0.5, 1.0] {
        let rate = f64::from(PER_SECOND) * share;
        let y = TOP + HEIGHT * (1.0 - rate / rates);
        writeln!(
            svg,
            r##"<text x="{:.0}" y="{:.0}" text-anchor="end">{rate:.0}</text>"##,
            LEFT - 6.0,
            y + 4.0
        )?;
    }
    let y = lower + HEIGHT / 2.0 * (1.0 - 1.0 / 1.1);
    writeln!(
        svg,
        r##"<line x1="{LEFT}" x2="{:.0}" y1="{y:.1}" y2="{y:.1}" stroke="#c33" stroke-dasharray="4 3"/>"##,
        LEFT + WIDTH
    )?;
    writeln!(
        svg,
        r##"<text x="{:.0}" y="{:.0}" text-anchor="end">{} ms</text>"##,
        LEFT - 6.0,
        y + 4.0,
        DEADLINE.as_millis()
    )?;
    let mut second = 0_u32;
    while f64::from(second) <= seconds {
        let at = x(Duration::from_secs(u64::from(second)));
        writeln!(
            svg,
            r##"<text x="{at:.0}" y="{:.0}" text-anchor="middle">{second} s</text>"##,
            lower + HEIGHT / 2.0 + 18.0
        )?;
        second += 10;
    }
    writeln!(
        svg,
        r##"<text x="{:.0}" y="{:.0}" fill="#a33">the last service is dead</text>"##,
        x(dead) + 6.0,
        TOP + 16.0
    )?;
    writeln!(svg, "</svg>")?;
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"));
    fs::create_dir_all(folder)?;
    fs::write(folder.join(format!("outage-{}.svg", scene.name)), svg)?;
    Ok(())
}
