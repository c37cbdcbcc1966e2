//! What came of the requests of a while, and the line that says so.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::histogram::Histogram;

/// One request that is over.
pub(super) type Outcome = Result<Duration, String>;

/// Requests of a while.
#[derive(Debug, Default)]
pub(super) struct Tally {
    successes: u64,
    failures: BTreeMap<String, u64>,
    durations: Histogram,
}

/// One line of JSON.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Report<'a> {
    event: &'static str,
    seconds: f64,
    /// Those that failed as well.
    requests: u64,
    failures: &'a BTreeMap<String, u64>,
    /// Of those that did not fail, counted from the moment each was due.
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
}

impl Tally {
    pub(super) fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Ok(took) => {
                self.successes += 1;
                self.durations.record(*took);
            }
            Err(kind) => *self.failures.entry(kind.clone()).or_default() += 1,
        }
    }

    pub(super) fn report(&self, event: &'static str, elapsed: Duration) -> Report<'_> {
        let millis = |percent| {
            let took = self.durations.percentile(percent)?;
            Some(rounded(took.as_secs_f64() * 1000.0))
        };
        Report {
            event,
            seconds: rounded(elapsed.as_secs_f64()),
            requests: self.successes + self.failures.values().sum::<u64>(),
            failures: &self.failures,
            p50_ms: millis(50),
            p95_ms: millis(95),
            p99_ms: millis(99),
        }
    }
}

/// To what is worth reading.
fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_all_and_times_what_went_well() {
        let mut tally = Tally::default();
        for millis in [10, 20, 30, 40] {
            tally.count(&Ok(Duration::from_millis(millis)));
        }
        for kind in ["status_503", "no_answer", "status_503"] {
            tally.count(&Err(kind.to_owned()));
        }
        let report = tally.report("load.total", Duration::from_millis(10_040));
        let line = serde_json::to_string(&report).unwrap();
        assert_eq!(
            line,
            r#"{"event":"load.total","seconds":10.0,"requests":7,"failures":{"no_answer":1,"status_503":2},"p50_ms":20.2,"p95_ms":40.4,"p99_ms":40.4}"#
        );
    }

    #[test]
    fn nothing_has_no_percentiles() {
        let line = serde_json::to_value(Tally::default().report("load.window", Duration::ZERO));
        let line = line.unwrap();
        assert_eq!(line["requests"], 0);
        assert!(line["p99_ms"].is_null());
    }
}
