//! Everything that decides something per call, ours and its peers', and one table at the end.
//!
//! `cargo bench` runs all of it; `cargo bench -- breaker loopback` the groups named.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark reports on standard output, and stops when it cannot measure"
)]

mod breakers;
mod limits;
mod loopback;
mod pipelines;
mod windows;

use lyceum_bench::race::race;
use lyceum_bench::table::Table;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, contestant, address] = &arguments[..]
        && first == loopback::CHILD
    {
        return loopback::child(contestant, address);
    }
    let named: Vec<&str> = arguments
        .iter()
        .map(String::as_str)
        .filter(|name| !name.starts_with('-'))
        .collect();
    let chosen = |group| named.is_empty() || named.contains(&group);

    // Some policies make timers, which want to know their runtime.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut table = Table::default();
    {
        let _inside = runtime.enter();
        if chosen("breaker") {
            table.add(
                "a call that succeeds, through a closed breaker",
                race(breakers::closed()),
            );
            table.add(
                "the same on two threads at once, per call of one",
                race(breakers::closed_on_two_threads()),
            );
            table.add("a call refused by an open breaker", race(breakers::open()));
        }
        if chosen("window") {
            table.add(
                "a call that succeeds, with so many others in the window",
                race(windows::contestants()),
            );
        }
        if chosen("budget") {
            table.add(
                "a call that pays into the retry budget",
                race(limits::deposits()),
            );
            table.add("a repeat taken from it", race(limits::withdrawals()));
        }
        if chosen("bulkhead") {
            table.add(
                "a place among the calls in flight, taken and given back",
                race(limits::places()),
            );
        }
        if chosen("pipeline") {
            table.add(
                "all policies around a future that is ready",
                race(pipelines::policies()),
            );
            table.add(
                "a whole call of a typed client, nothing sent",
                race(pipelines::client()),
            );
        }
    }
    if chosen("loopback") {
        table.add(
            "GET of a small JSON body over loopback, p50",
            loopback::race(),
        );
    }
    println!("{table}");
}
