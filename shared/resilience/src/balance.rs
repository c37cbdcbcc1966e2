//! Which of several endpoints to ask: the cheaper one of two picked at random.
//!
//! The **cost** of an endpoint is its recent latency times the calls it would then have under way
//! ([`PeakEwma`], from Finagle by way of linkerd and tower). A slower answer raises the latency
//! at once, quicker ones let it sink slowly; a failure weighs like an answer after
//! [`PENALTY`], so that an endpoint that fails fast does not draw everybody to it.
//!
//! [`choose`] compares **two** at random rather than all of them: nearly as even, and callers that
//! know the same do not all run to the same endpoint (Mitzenmacher, "The Power of Two Choices").
//!
//! ```
//! use std::time::Duration;
//! use lyceum_resilience::balance::{PeakEwma, choose};
//! use lyceum_resilience::deadline::Instant;
//!
//! let (now, mut rng) = (Instant::now(), fastrand::Rng::with_seed(7));
//! let endpoints = [PeakEwma::new(now), PeakEwma::new(now)];
//! endpoints[0].start(now).finish(Duration::from_millis(80), true, now);
//! let chosen = choose(2, None, &mut rng, |i| endpoints[i].cost(now), |_| true);
//! assert_eq!(chosen, Some(1));
//! ```

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::deadline::Instant;

/// The latency of an endpoint nobody has asked yet (linkerd, tower).
pub const FIRST_GUESS: Duration = Duration::from_millis(30);

/// What was seen counts for 1/e, about 37 %, after this (Finagle, linkerd).
pub const DECAY: Duration = Duration::from_secs(10);

/// The latency a failure counts for, unless it took even longer (linkerd).
pub const PENALTY: Duration = Duration::from_secs(5);

/// No latency counts for less. An endpoint rested for long would otherwise cost nothing at all,
/// however many calls it had under way, and be stormed; and below this the calls under way say
/// more than the differences, which are noise.
pub const LEAST: Duration = Duration::from_millis(1);

/// The cost of one endpoint.
#[derive(Debug)]
pub struct PeakEwma {
    born: Instant,
    /// The highest of all `ln(latency in ns) + age of this value at that time / DECAY`, as the
    /// bits of an `f64`.
    ///
    /// A latency decays to `latency · e^(−t/DECAY)`, and which of two decaying latencies is higher
    /// never changes, so one word and one atomic maximum hold what Finagle needs a lock for. The
    /// bits of floats that are not negative are in the order of the floats.
    peak: AtomicU64,
    in_flight: AtomicU32,
}

impl PeakEwma {
    /// An endpoint of [`FIRST_GUESS`] latency.
    pub fn new(now: Instant) -> Self {
        let endpoint = Self {
            born: now,
            peak: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
        };
        endpoint.saw(FIRST_GUESS, now);
        endpoint
    }

    /// Seconds of latency times (calls under way + 1); lower is better.
    pub fn cost(&self, now: Instant) -> f64 {
        let in_flight = self.in_flight.load(Relaxed);
        self.latency(now).as_secs_f64() * (f64::from(in_flight) + 1.0)
    }

    /// The latency expected of the next call.
    pub fn latency(&self, now: Instant) -> Duration {
        let peak = f64::from_bits(self.peak.load(Relaxed)) - self.age(now);
        // A time before the last sample leaves a peak in the future, which is no more than high.
        Duration::try_from_secs_f64(peak.exp() * 1e-9).map_or(Duration::MAX, |l| l.max(LEAST))
    }

    /// Calls under way.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// One more call is under way from `now` on, until the guard is finished or dropped.
    pub fn start(&self, now: Instant) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Relaxed);
        InFlight {
            endpoint: self,
            begun: now,
            told: false,
        }
    }

    fn saw(&self, latency: Duration, now: Instant) {
        let latency_ns = (latency.as_secs_f64() * 1e9).max(1.0);
        let peak = latency_ns.ln() + self.age(now);
        self.peak.fetch_max(peak.to_bits(), Relaxed);
    }

    /// In lengths of [`DECAY`].
    fn age(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.born);
        age.as_secs_f64() / DECAY.as_secs_f64()
    }
}

/// One call under way. Dropped, because its caller went away, it took at least as long as that: an
/// endpoint that hangs until everybody gives up is slow, whoever ends the wait.
#[must_use = "the call is no longer counted as soon as this is dropped"]
#[derive(Debug)]
pub struct InFlight<'a> {
    endpoint: &'a PeakEwma,
    begun: Instant,
    told: bool,
}

impl InFlight<'_> {
    /// The call ended after `latency`. Not `ok` is what says that the endpoint would better be
    /// left alone: a failure, a timeout, and 429 or 503, by which it asks for that. When it says
    /// for how long (`Retry-After`), and that is longer, give that as the latency (linkerd).
    pub fn finish(mut self, latency: Duration, ok: bool, now: Instant) {
        let counted = if ok { latency } else { latency.max(PENALTY) };
        self.endpoint.saw(counted, now);
        self.told = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.endpoint.in_flight.fetch_sub(1, Relaxed);
        if !self.told {
            let now = Instant::now();
            let waited = now.saturating_duration_since(self.begun);
            self.endpoint.saw(waited, now);
        }
    }
}

/// The cheaper of two usable ones among `0..count`, picked at random; `None` when none is usable.
///
/// `tried` is the one that has just failed this call: it is chosen again only when no other is
/// usable. Asks `usable` at most once of each, `cost` of two at most, and allocates nothing.
pub fn choose(
    count: usize,
    tried: Option<usize>,
    rng: &mut fastrand::Rng,
    cost: impl Fn(usize) -> f64,
    usable: impl Fn(usize) -> bool,
) -> Option<usize> {
    let mut pair = [None; 2];
    let others = (0..count).filter(|i| Some(*i) != tried && usable(*i));
    for (seen, candidate) in others.enumerate() {
        // Reservoir sampling: every pair of the usable ones is as likely as any other.
        let place = if seen < 2 { seen } else { rng.usize(0..=seen) };
        if let Some(place) = pair.get_mut(place) {
            *place = Some(candidate);
        }
    }
    match pair {
        [Some(one), Some(other)] => {
            let (of_one, of_other) = (cost(one), cost(other));
            // Endpoints nobody has asked yet cost the same: the first of them must not get all.
            let even = of_one.total_cmp(&of_other).is_eq() && rng.bool();
            Some(if of_one < of_other || even {
                one
            } else {
                other
            })
        }
        [one, other] => one
            .or(other)
            .or_else(|| tried.filter(|tried| *tried < count && usable(*tried))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ManualClock, rng};
    use proptest::prelude::*;

    const fn ms(length: u64) -> Duration {
        Duration::from_millis(length)
    }

    fn near(seen: Duration, wanted: Duration) -> bool {
        seen.abs_diff(wanted) <= wanted / 1000
    }

    #[test]
    fn a_slower_answer_counts_at_once_and_a_quicker_one_little_by_little() {
        let clock = ManualClock::new();
        let endpoint = PeakEwma::new(clock.now());
        assert!(near(endpoint.latency(clock.now()), FIRST_GUESS));
        endpoint
            .start(clock.now())
            .finish(ms(400), true, clock.now());
        assert!(near(endpoint.latency(clock.now()), ms(400)));
        endpoint
            .start(clock.now())
            .finish(ms(20), true, clock.now());
        assert!(near(endpoint.latency(clock.now()), ms(400)));
        let later = clock.advance(DECAY);
        assert!(near(
            endpoint.latency(later),
            ms(400).mul_f64((-1_f64).exp())
        ));
        for _ in 0..10_000 {
            clock.advance(ms(10));
            endpoint
                .start(clock.now())
                .finish(ms(20), true, clock.now());
        }
        assert!(near(endpoint.latency(clock.now()), ms(20)));
    }

    #[test]
    fn a_failure_is_a_penalty_of_five_seconds_that_wears_off() {
        let clock = ManualClock::new();
        let endpoint = PeakEwma::new(clock.now());
        endpoint
            .start(clock.now())
            .finish(ms(2), false, clock.now());
        assert!(near(endpoint.latency(clock.now()), PENALTY));
        let later = clock.advance(DECAY * 2);
        assert!(near(
            endpoint.latency(later),
            PENALTY.mul_f64((-2_f64).exp())
        ));
        endpoint
            .start(clock.now())
            .finish(ms(7_000), false, clock.now());
        assert!(near(endpoint.latency(later), ms(7_000)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_given_up_took_at_least_as_long_as_it_was_waited_for() {
        let endpoint = PeakEwma::new(Instant::now());
        let call = endpoint.start(Instant::now());
        tokio::time::advance(ms(700)).await;
        drop(call);
        let latency = endpoint.latency(Instant::now());
        assert!((ms(699)..=ms(701)).contains(&latency), "{latency:?}");
        // It only ever raises: one given up soon says nothing of how long it would have taken.
        drop(endpoint.start(Instant::now()));
        assert!(endpoint.latency(Instant::now()) >= ms(699));
    }

    #[test]
    fn the_cost_grows_with_every_call_under_way_and_a_dropped_one_leaves_no_trace() {
        let now = Instant::now();
        let endpoint = PeakEwma::new(now);
        let idle = endpoint.cost(now);
        let calls: Vec<_> = (0..4).map(|_| endpoint.start(now)).collect();
        assert!((endpoint.cost(now) / idle - 5.0).abs() < 1e-9);
        drop(calls);
        assert_eq!(endpoint.in_flight(), 0);
        assert!((endpoint.cost(now) / idle - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_endpoint_rested_for_long_is_not_stormed() {
        let clock = ManualClock::new();
        let rested = PeakEwma::new(clock.now());
        clock.advance(Duration::from_hours(24 * 365));
        assert_eq!(rested.latency(clock.now()), LEAST);
        let _calls: Vec<_> = (0..10).map(|_| rested.start(clock.now())).collect();
        let busy = PeakEwma::new(clock.now());
        busy.start(clock.now()).finish(ms(10), true, clock.now());
        assert!(rested.cost(clock.now()) > LEAST.as_secs_f64() * 10.0);
        // Still exact after a year: the penalty is there, and wears off.
        rested.start(clock.now()).finish(ms(2), false, clock.now());
        assert!(near(rested.latency(clock.now()), PENALTY));
        let later = clock.advance(DECAY);
        assert!(near(rested.latency(later), PENALTY.mul_f64((-1_f64).exp())));
    }

    #[test]
    fn endpoints_that_cost_the_same_share_the_calls() {
        let mut rng = rng(7);
        for count in [2, 3, 5] {
            let mut chosen = vec![0_u32; count];
            for _ in 0..10_000 {
                let one = choose(count, None, &mut rng, |_| 1.0, |_| true).unwrap();
                chosen[one] += 1;
            }
            let even = 10_000 / u32::try_from(count).unwrap();
            assert!(
                chosen.iter().all(|n| n.abs_diff(even) < even / 10),
                "{chosen:?}"
            );
        }
    }

    #[test]
    fn the_dearest_of_all_is_never_chosen_while_there_is_another() {
        let (mut rng, costs) = (rng(7), [0.03, 5.0, 0.04]);
        for _ in 0..1_000 {
            let chosen = choose(3, None, &mut rng, |i| costs[i], |_| true);
            assert_ne!(chosen, Some(1));
        }
    }

    #[test]
    fn the_one_just_tried_is_asked_again_only_when_it_is_the_only_one() {
        let mut rng = rng(7);
        let free = |_| 0.0;
        for _ in 0..100 {
            let tried = Some(1);
            assert_ne!(choose(3, tried, &mut rng, free, |_| true), tried);
            assert_eq!(choose(3, tried, &mut rng, free, |i| i == 1), tried);
            assert_eq!(choose(3, tried, &mut rng, free, |i| i != 0), Some(2));
            assert_eq!(choose(3, tried, &mut rng, free, |_| false), None);
            assert_eq!(choose(1, tried, &mut rng, free, |_| true), Some(0));
        }
        assert_eq!(choose(0, None, &mut rng, free, |_| true), None);
    }

    #[test]
    fn a_slow_endpoint_gets_few_of_the_calls_and_its_share_back_when_it_is_quick_again() {
        let (clock, mut rng) = (ManualClock::new(), rng(7));
        let endpoints = [PeakEwma::new(clock.now()), PeakEwma::new(clock.now())];
        let mut share_of_first = |latency_ms: u64| {
            let mut first = 0_u32;
            for _ in 0..10_000 {
                let now = clock.advance(ms(10));
                let chosen = choose(2, None, &mut rng, |i| endpoints[i].cost(now), |_| true);
                let chosen = chosen.unwrap();
                first += u32::from(chosen == 0);
                let latency = if chosen == 0 { ms(latency_ms) } else { ms(20) };
                endpoints[chosen].start(now).finish(latency, true, now);
            }
            f64::from(first) / 10_000.0
        };
        let slow = share_of_first(500);
        assert!(slow < 0.01, "{slow}");
        let quick = share_of_first(20);
        assert!(quick > 0.3, "{quick}");
    }

    proptest! {
        #[test]
        fn an_unusable_one_is_never_chosen_and_a_usable_one_always_found(
            usable in prop::collection::vec(any::<bool>(), 0..8),
            tried in prop::option::of(0..8_usize),
            costs in prop::array::uniform8(0.0..10.0_f64),
            seed: u64,
        ) {
            let chosen = choose(
                usable.len(), tried, &mut rng(seed), |i| costs[i], |i| usable[i],
            );
            match chosen {
                Some(chosen) => {
                    prop_assert!(usable[chosen]);
                    let another = (0..usable.len()).any(|i| usable[i] && Some(i) != tried);
                    prop_assert!(Some(chosen) != tried || !another);
                }
                None => prop_assert!(!usable.contains(&true)),
            }
        }

        #[test]
        fn a_latency_lies_between_the_least_and_the_worst_that_was_seen(
            calls in prop::collection::vec((0..20_000_u64, 0..60_000_u64, any::<bool>()), 1..50),
        ) {
            let clock = ManualClock::new();
            let endpoint = PeakEwma::new(clock.now());
            let mut worst = FIRST_GUESS;
            for (pause_ms, latency_ms, ok) in calls {
                let now = clock.advance(ms(pause_ms));
                endpoint.start(clock.now()).finish(ms(latency_ms), ok, now);
                worst = worst.max(if ok { ms(latency_ms) } else { ms(latency_ms).max(PENALTY) });
                let latency = endpoint.latency(now);
                prop_assert!(latency >= LEAST && latency <= worst.mul_f64(1.001));
                prop_assert!(latency.mul_f64(1.001) >= ms(latency_ms));
            }
        }
    }
}
