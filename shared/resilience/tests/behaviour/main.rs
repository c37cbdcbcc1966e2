//! The behaviours in which breakers and retry budgets differ, each as a test by its name, over the public interface. Time
//! is an argument or tokio's paused clock: nothing sleeps.
//!
//! | what the others get wrong | test |
//! |---|---|
//! | failures to trip grow with the healthy calls before | `opening::a_share_opens_it_after_the_same_count_whatever_went_before`, `opening::a_row_opens_it_after_the_same_count_whatever_went_before` |
//! | more callers than the limit pass when half-open | `probing::of_a_thousand_callers_only_the_probes_pass`, `probing::of_callers_on_many_threads_only_the_probes_pass` |
//! | a cancelled probe wedges it | `probing::it_recovers_after_any_number_of_cancelled_probes` |
//! | hung calls dropped by an outer timeout are not seen | `verdicts::hung_calls_dropped_by_an_outer_timeout_open_it` |
//! | a success from before the outage ends the half-open state | `verdicts::a_success_from_before_the_outage_decides_nothing` |
//! | the retry budget allows another share than it was told | `budget::ten_thousand_failing_calls_at_any_percentage_repeat_exactly_that_share` |
//!
//! | pitfall | test |
//! |---|---|
//! | retry amplification | `budget::three_hops_of_a_tenth_make_at_most_a_third_more_of_the_calls` |
//! | fixed count window that never slides | `opening::what_happened_a_window_ago_is_forgotten` |
//! | O(n) window under a mutex | `allocations.rs` next door: a million calls leave no trace but their count; the bench has the cost |
//! | herd in half-open | `probing::of_callers_on_many_threads_only_the_probes_pass` |
//! | herd after closing | `ramping::the_share_that_passes_grows_from_a_tenth_to_all`, `ramping::after_an_outage_calls_come_back_by_three_probes_and_a_ramp_without_a_second_outage` |
//! | leaked probe permit | `probing::a_probe_that_never_comes_back_does_not_wedge_it`, `probing::a_lost_probe_that_comes_back_in_the_end_frees_no_place_of_a_later_one` |
//! | cancelled probe counted as a success | `probing::a_cancelled_probe_says_nothing` |
//! | slow probe counted as a success | `probing::a_slow_success_fails_the_round_of_probes` |
//! | stale result decides | `verdicts::a_success_from_before_the_outage_decides_nothing`, `verdicts::a_failure_from_before_the_outage_decides_nothing` |
//! | timeout outside the breaker | `verdicts::hung_calls_dropped_by_an_outer_timeout_open_it`, `verdicts::hung_calls_given_up_inside_the_permit_open_it` |
//! | fractional budgets wrong | `budget::ten_thousand_failing_calls_at_any_percentage_repeat_exactly_that_share` |
//! | budget drained by local rejects | `budget::repeats_refused_on_the_way_cost_nothing` |
//! | half a budget at low rates | `budget::a_quiet_client_has_the_floor_and_no_more` |
//! | quota that never refills | `budget::a_budget_that_is_spent_refills_with_time_alone` |
//! | anything else | `model::whatever_happens_it_does_as_the_model_and_is_never_stuck`; `make loom` for the order of threads |
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod budget;
mod model;
mod opening;
mod operating;
mod probing;
mod ramping;
mod verdicts;

use std::cell::Cell;
use std::time::Duration;

use lyceum_resilience::breaker::{
    Breaker, BreakerSettings, Permit, Refused, Snapshot, State, Verdict,
};
use lyceum_resilience::deadline::Instant;

/// A breaker and the hand on its clock.
struct Bench {
    breaker: Breaker,
    now: Cell<Instant>,
}

impl Bench {
    fn new(settings: BreakerSettings) -> Self {
        let now = Instant::now();
        Self {
            breaker: Breaker::new(&settings, now, 7).unwrap(),
            now: Cell::new(now),
        }
    }

    /// Opens on a share alone.
    fn by_share() -> Self {
        Self::new(BreakerSettings {
            consecutive_failures: 255,
            ..BreakerSettings::default()
        })
    }

    /// Open, with the time for probes come.
    fn ready_for_probes() -> Self {
        let bench = Self::new(BreakerSettings::default());
        bench.fail(5);
        bench.rest();
        bench
    }

    fn now(&self) -> Instant {
        self.now.get()
    }

    fn pass(&self, millis: u64) {
        self.now.set(self.now() + Duration::from_millis(millis));
    }

    /// Lets the time go by for which it is open.
    fn rest(&self) {
        self.pass(self.snapshot().retry_after_ms);
    }

    fn acquire(&self) -> Result<Permit<'_>, Refused> {
        self.breaker.acquire(self.now())
    }

    fn call(&self, verdict: Verdict) -> Result<(), Refused> {
        self.acquire()?.record(verdict, self.now());
        Ok(())
    }

    fn call_lasting(&self, millis: u64, verdict: Verdict) {
        let permit = self.acquire().unwrap();
        self.pass(millis);
        permit.record(verdict, self.now());
    }

    fn succeed(&self, times: usize) {
        (0..times).for_each(|_| self.call(Verdict::Success).unwrap());
    }

    fn fail(&self, times: usize) {
        (0..times).for_each(|_| self.call(Verdict::Failure).unwrap());
    }

    /// How many failures it takes to open it.
    fn failures_to_open(&self) -> usize {
        (1..=10_000)
            .find(|_| {
                self.fail(1);
                self.state() == State::Open
            })
            .unwrap()
    }

    fn state(&self) -> State {
        self.breaker.state()
    }

    fn snapshot(&self) -> Snapshot {
        self.breaker.snapshot(self.now())
    }
}
