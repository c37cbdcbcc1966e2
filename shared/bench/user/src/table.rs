//! The table of `docs/BENCHMARKS.md`, as it comes.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark reports on standard output"
)]

use lyceum_bench_stage::median_of;

use crate::conduct::Turn;

/// Turns of the two who answered the same requests.
#[derive(Default)]
pub(crate) struct Reads {
    pub(crate) ours: Vec<Turn>,
    pub(crate) minimal: Vec<Turn>,
    /// Answers of ours before the rounds that count.
    pub(crate) warm_up: u64,
    /// What the collector got meanwhile.
    pub(crate) spans: u64,
}

/// Seconds of each request for a thousand accounts.
#[derive(Default)]
pub(crate) struct Bulk {
    pub(crate) ours: Vec<f64>,
    pub(crate) one_insert: Vec<f64>,
    pub(crate) promised: Vec<f64>,
}

pub(crate) fn head() {
    println!(
        "| what | ours | minimal | ratio | goal | CPU per request, ours : minimal | spans per request |"
    );
    println!("|---|---|---|---|---|---|---|");
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn reads(title: &str, goal: f64, reads: &Reads) {
    let rounds = reads.ours.iter().zip(&reads.minimal);
    let ratios: Vec<f64> = rounds
        .map(|(ours, minimal)| ours.0.per_second() / minimal.0.per_second())
        .collect();
    let ratio = median_of(&ratios, |ratio| *ratio);
    let rate = |turns: &[Turn]| median_of(turns, |turn| turn.0.per_second());
    let millis = |turns: &[Turn], of: fn(&Turn) -> f64| median_of(turns, of) * 1e3;
    let cpu = |turns: &[Turn]| median_of(turns, |turn| turn.1 / f64::from(turn.0.answers)) * 1e6;
    let side = |turns: &[Turn]| {
        let (p50, p99) = (
            millis(turns, |turn| turn.0.p50),
            millis(turns, |turn| turn.0.p99),
        );
        format!("{:.0}/s, p50 {p50:.2} ms, p99 {p99:.2} ms", rate(turns))
    };
    let answers: u64 = reads
        .ours
        .iter()
        .map(|turn| u64::from(turn.0.answers))
        .sum();
    println!(
        "| `{title}` | {} | {} | **{:.0} %** | {:.0} % | {:.0} µs : {:.0} µs | {:.2} |",
        side(&reads.ours),
        side(&reads.minimal),
        ratio * 100.0,
        goal * 100.0,
        cpu(&reads.ours),
        cpu(&reads.minimal),
        reads.spans as f64 / (answers + reads.warm_up) as f64,
    );
}

pub(crate) fn bulk(bulk: &Bulk) {
    let millis = |all: &[f64]| median_of(all, |took| took * 1e3);
    for (baseline, took, goal) in [
        ("one INSERT", &bulk.one_insert, "80 %"),
        ("every row that is promised", &bulk.promised, ""),
    ] {
        let ratios: Vec<f64> = bulk
            .ours
            .iter()
            .zip(took)
            .map(|(ours, other)| other / ours)
            .collect();
        println!(
            "| `POST /users/bulk` of 1000, beside {baseline} | {:.1} ms | {:.1} ms | **{:.0} %** | {goal} | | |",
            millis(&bulk.ours),
            millis(took),
            median_of(&ratios, |ratio| *ratio) * 100.0,
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
pub(crate) fn memory(at_start: u64, after: u64) {
    let mega = |bytes: u64| bytes as f64 / 1e6;
    println!(
        "| resident memory of user, seeded and after the load | {:.1} MB, {:.1} MB | | | 40 MB | | |",
        mega(at_start),
        mega(after)
    );
}

pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("bench-user: {error:#}");
}
