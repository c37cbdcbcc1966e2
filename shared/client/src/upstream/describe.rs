//! A pipeline in words, for people who want to know what happens to a call.

use super::pipeline::Pipeline;

impl Pipeline {
    /// One policy per line, outermost first. What is off is said to be off.
    pub(super) fn describe(&self) -> Vec<String> {
        vec![
            self.cache_words(),
            self.deadline_words(),
            self.attempts_words(),
            self.hedge_words(),
            self.endpoint_words(),
            self.bulkhead_words(),
            self.breaker_words(),
            self.attempt_words(),
        ]
    }

    fn cache_words(&self) -> String {
        let cache = &self.settings.cache;
        if cache.fresh_ms == 0 {
            return "cache: off".to_owned();
        }
        format!(
            "cache: reads that allow it answered for {} ms, one asking for all, and for {} ms more if the peer fails",
            cache.fresh_ms, cache.stale_if_error_ms
        )
    }

    fn deadline_words(&self) -> String {
        format!(
            "deadline: {} ms in all, or what the caller still grants less {} ms",
            self.settings.total_timeout_ms, self.settings.deadline_margin_ms
        )
    }

    fn attempts_words(&self) -> String {
        let (backoff, budget) = (&self.settings.backoff, &self.settings.budget);
        format!(
            "attempts: up to {}, between them up to {} ms doubling to {} ms, at most {} % of calls + {}/s over {} ms",
            self.settings.attempts,
            backoff.base_ms,
            backoff.cap_ms,
            budget.percent,
            budget.floor_per_second,
            budget.window_ms
        )
    }

    fn hedge_words(&self) -> String {
        let hedge = &self.settings.hedge;
        if hedge.max_extra_percent == 0 {
            return "hedge: off".to_owned();
        }
        format!(
            "hedge: a second attempt for the slowest {} %, after {} ms at the earliest, from the same budget",
            hedge.max_extra_percent, hedge.min_delay_ms
        )
    }

    fn endpoint_words(&self) -> String {
        let names: Vec<&str> = self
            .endpoints
            .iter()
            .map(|endpoint| &*endpoint.name)
            .collect();
        let names = names.join(", ");
        if self.endpoints.len() == 1 {
            return format!("endpoint: {names}");
        }
        let outlier = &self.settings.outlier;
        let ejection = match outlier.failure_percent {
            0 => String::new(),
            percent => format!(
                "; one that fails {percent} % and {} points more than the rest is left out for {} ms and more",
                outlier.margin_points, outlier.base_ms
            ),
        };
        format!("endpoints: the quicker of two of {names}{ejection}")
    }

    fn bulkhead_words(&self) -> String {
        let bulkhead = &self.settings.bulkhead;
        let adaptive = if bulkhead.adaptive.enabled {
            ", fewer while calls are lost"
        } else {
            ""
        };
        format!(
            "bulkhead: {} in flight{adaptive}, {} queued for up to {} ms",
            bulkhead.max_in_flight, bulkhead.max_queued, bulkhead.max_wait_ms
        )
    }

    fn breaker_words(&self) -> String {
        let breaker = &self.settings.breaker;
        let slow = match breaker.slow_call_ms {
            0 => String::new(),
            slow_call_ms => format!(
                " or {} % slower than {slow_call_ms} ms",
                breaker.slow_percent
            ),
        };
        let ramp = match breaker.ramp_ms {
            0 => String::new(),
            ramp_ms => format!(", then lets calls back over {ramp_ms} ms"),
        };
        format!(
            "breaker: opens on {} failures in a row, {} % failed{slow} of {} or more calls in {} ms, for {} ms doubling to {} ms, closes after {} probes{ramp}",
            breaker.consecutive_failures,
            breaker.failure_percent,
            breaker.minimum_calls,
            breaker.window_ms,
            breaker.open_ms,
            breaker.max_open_ms,
            breaker.probes
        )
    }

    fn attempt_words(&self) -> String {
        format!(
            "attempt: {} ms, of which {} ms for a connection",
            self.settings.attempt_timeout_ms, self.settings.connect_timeout_ms
        )
    }
}
