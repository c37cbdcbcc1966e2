//! One table in the Markdown of `docs/BENCHMARKS.md`: groups of rows, ratios to each group's first.

use std::fmt;

use crate::race::Outcome;

/// What belongs side by side. The first row is the one the others are compared with.
#[derive(Debug)]
pub struct Group {
    /// What is done.
    pub title: &'static str,
    /// The rows, the baseline first.
    pub rows: Vec<Row>,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who does it.
    pub name: String,
    /// How long it takes, in nanoseconds.
    pub nanos: f64,
    /// The slowest in a hundred, in nanoseconds, where single operations are timed.
    pub p99_nanos: Option<f64>,
    /// Allocations of one operation.
    pub allocations: f64,
}

impl From<Outcome> for Row {
    fn from(outcome: Outcome) -> Self {
        Self {
            name: outcome.name,
            nanos: outcome.nanos,
            p99_nanos: None,
            allocations: outcome.allocations,
        }
    }
}

/// All groups.
#[derive(Debug, Default)]
pub struct Table(pub Vec<Group>);

impl Table {
    /// Adds a group of outcomes.
    pub fn add(&mut self, title: &'static str, outcomes: impl IntoIterator<Item: Into<Row>>) {
        let rows = outcomes.into_iter().map(Into::into).collect();
        self.0.push(Group { title, rows });
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | time | ratio | allocations |")?;
        writeln!(f, "|---|---|---|---|")?;
        for Group { title, rows } in &self.0 {
            writeln!(f, "| **{title}** | | | |")?;
            let baseline = rows.first().map_or(f64::NAN, |row| row.nanos);
            for row in rows {
                let ratio = row.nanos / baseline;
                let time = time(row.nanos, row.p99_nanos);
                writeln!(
                    f,
                    "| {} | {time} | {ratio:.2} | {} |",
                    row.name,
                    count(row.allocations)
                )?;
            }
        }
        Ok(())
    }
}

fn time(nanos: f64, p99_nanos: Option<f64>) -> String {
    match p99_nanos {
        Some(p99) => format!("{:.1} µs, p99 {:.1} µs", nanos / 1e3, p99 / 1e3),
        None if nanos < 100.0 => format!("{nanos:.1} ns"),
        None if nanos < 10_000.0 => format!("{nanos:.0} ns"),
        None => format!("{:.1} µs", nanos / 1e3),
    }
}

fn count(allocations: f64) -> String {
    if (allocations - allocations.round()).abs() < 0.05 {
        format!("{:.0}", allocations.abs())
    } else {
        format!("{allocations:.1}")
    }
}
