//! The table of `docs/BENCHMARKS.md`, as it comes.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark reports on standard output"
)]

pub(crate) fn head() {
    println!("| what | seen | goal | the limit beside it |");
    println!("|---|---|---|---|");
}

pub(crate) fn row(what: &str, seen: &str, goal: &str, limit: &str) {
    println!("| {what} | {seen} | {goal} | {limit} |");
}

pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("bench-live: {error:#}");
}
