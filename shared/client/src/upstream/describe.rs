//! A pipeline in words, for people who want to know what happens to a call.

use super::pipeline::Pipeline;

impl Pipeline {
    /// One policy per line, outermost first.
    pub(super) fn describe(&self) -> Vec<String> {
        let settings = &self.settings;
        let (backoff, budget, breaker, bulkhead) = (
            &settings.backoff,
            &settings.budget,
            &settings.breaker,
            &settings.bulkhead,
        );
        let mut lines = vec![
            format!(
                "deadline: {} ms in all, or what the caller still grants less {} ms",
                settings.total_timeout_ms, settings.deadline_margin_ms
            ),
            format!(
                "attempts: up to {}, between them up to {} ms doubling to {} ms, at most {} % of calls + {}/s over {} ms",
                settings.attempts,
                backoff.base_ms,
                backoff.cap_ms,
                budget.percent,
                budget.floor_per_second,
                budget.window_ms
            ),
            format!("endpoints: {}", self.names()),
            format!(
                "bulkhead: {} in flight, {} queued for up to {} ms",
                bulkhead.max_in_flight, bulkhead.max_queued, bulkhead.max_wait_ms
            ),
            format!(
                "breaker: opens on {} failures in a row or {} % of {} or more calls in {} ms, for {} ms doubling to {} ms, closes after {} probes",
                breaker.consecutive_failures,
                breaker.failure_percent,
                breaker.minimum_calls,
                breaker.window_ms,
                breaker.open_ms,
                breaker.max_open_ms,
                breaker.probes
            ),
            format!(
                "attempt: {} ms, of which {} ms for a connection",
                settings.attempt_timeout_ms, settings.connect_timeout_ms
            ),
        ];
        lines.extend(
            settings
                .faults
                .describe()
                .map(|fault| format!("faults: {fault}")),
        );
        lines
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self
            .endpoints
            .iter()
            .map(|endpoint| &*endpoint.name)
            .collect();
        names.join(", ")
    }
}
