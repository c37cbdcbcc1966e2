//! Any history of calls, against a breaker written the obvious way: slow, with lists, for one thread.

use std::time::Duration;

use lyceum_resilience::breaker::{
    Breaker, BreakerSettings, Mode, Permit, Refused, Snapshot, State, Verdict,
};
use lyceum_resilience::deadline::Instant;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio::runtime::{Builder, Runtime};

#[derive(Debug, Clone, Copy)]
enum Action {
    Acquire,
    Record(Index, Verdict),
    Drop(Index),
    Discard(Index),
    Forget(Index),
    Pass(u64),
    SetMode(Mode),
}

fn actions() -> impl Strategy<Value = Action> {
    let verdict = prop_oneof![
        3 => Just(Verdict::Success),
        3 => Just(Verdict::Failure),
        1 => Just(Verdict::Throttled),
    ];
    let mode = prop_oneof![
        3 => Just(Mode::Automatic),
        1 => Just(Mode::Shadow),
        1 => Just(Mode::ForcedOpen),
        1 => Just(Mode::ForcedClosed),
    ];
    let millis = prop_oneof![4 => 0..50_u64, 2 => 0..2_000_u64, 1 => 0..30_000_u64];
    prop_oneof![
        20 => Just(Action::Acquire),
        20 => (any::<Index>(), verdict).prop_map(|(index, verdict)| Action::Record(index, verdict)),
        2 => any::<Index>().prop_map(Action::Drop),
        1 => any::<Index>().prop_map(Action::Discard),
        1 => any::<Index>().prop_map(Action::Forget),
        6 => millis.prop_map(Action::Pass),
        1 => mode.prop_map(Action::SetMode),
    ]
}

prop_compose! {
    fn settings()(
        consecutive_failures in 1..8_u8,
        failure_percent in 1..=100_u8,
        minimum_calls in 1..20_u32,
        slow_call_ms in prop_oneof![Just(0), 1..2_000_u64],
        slow_percent in 1..=100_u8,
        window_ms in 100..20_000_u64,
        open in 0..10_000_u64,
        more in 0..60_000_u64,
        probes in 1..=7_u8,
        max_half_open_ms in 1..20_000_u64,
        ramp_ms in prop_oneof![Just(0), 1..20_000_u64],
        ramp_floor_per_second in 0..20_u32,
    ) -> BreakerSettings {
        let open_ms = window_ms / 5 + open;
        BreakerSettings {
            consecutive_failures, failure_percent, minimum_calls, slow_call_ms, slow_percent, window_ms, open_ms,
            max_open_ms: open_ms + more, probes, max_half_open_ms, ramp_ms, ramp_floor_per_second,
        }
    }
}

/// A call that has ended.
struct Ended {
    at: u64,
    failed: bool,
    slow: bool,
}

/// A call that has not.
struct Granted<'a> {
    permit: Permit<'a>,
    at: u64,
    /// `None` if its end does not count.
    generation: Option<u32>,
}

enum Phase {
    Closed {
        since: u64,
        row: u8,
        trips: Option<u32>,
    },
    Open {
        until: u64,
        trips: u32,
    },
    HalfOpen {
        reclaim: u64,
        trips: u32,
        in_flight: u8,
        passed: u8,
    },
}

#[derive(PartialEq)]
enum Admission {
    Passes,
    /// The ramp may let it pass or not.
    Either,
    Refused,
}

struct Model {
    settings: BreakerSettings,
    phase: Phase,
    generation: u32,
    mode: Mode,
    ended: Vec<Ended>,
}

impl Model {
    fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            phase: Phase::Closed {
                since: 0,
                row: 0,
                trips: None,
            },
            generation: 0,
            mode: Mode::Automatic,
            ended: Vec::new(),
        }
    }

    fn admission(&self, now: u64) -> Admission {
        let passes = match self.phase {
            Phase::Closed { .. } if self.ramping(now).is_some() => return Admission::Either,
            Phase::Closed { .. } => true,
            Phase::Open { until, .. } => now >= until,
            Phase::HalfOpen {
                reclaim,
                in_flight,
                passed,
                ..
            } => in_flight + passed < self.settings.probes || now >= reclaim,
        };
        if passes {
            Admission::Passes
        } else {
            Admission::Refused
        }
    }

    /// The percentage of calls that pass.
    fn ramping(&self, now: u64) -> Option<u64> {
        match self.phase {
            Phase::Closed {
                since,
                trips: Some(_),
                ..
            } if now < since + self.settings.ramp_ms => {
                Some(((now - since) * 100 / self.settings.ramp_ms).max(10))
            }
            _ => None,
        }
    }

    /// A call has passed; a probe if it is not closed.
    fn grant(&mut self, now: u64) {
        let reclaim = now + self.settings.max_half_open_ms;
        match &mut self.phase {
            Phase::Closed { .. } => {}
            Phase::Open { trips, .. } => {
                let trips = *trips;
                self.enter(Phase::HalfOpen {
                    reclaim,
                    trips,
                    in_flight: 1,
                    passed: 0,
                });
            }
            Phase::HalfOpen {
                reclaim: at,
                in_flight,
                passed,
                ..
            } => {
                if *in_flight + *passed < self.settings.probes {
                    *in_flight += 1;
                } else {
                    *in_flight = 1;
                    self.generation += 1;
                }
                *at = reclaim;
            }
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
    }

    /// A call of this generation has ended. Gives how often it has opened again, if it opens.
    fn end(&mut self, verdict: Verdict, took: u64, now: u64) -> Option<u32> {
        let settings = self.settings;
        let slow = settings.slow_call_ms > 0 && took >= settings.slow_call_ms;
        let failed = verdict != Verdict::Success;
        match &mut self.phase {
            Phase::Closed { since, row, trips } => {
                *row = match verdict {
                    Verdict::Success => 0,
                    Verdict::Failure => *row + 1,
                    Verdict::Throttled => *row,
                };
                let settled = now
                    >= *since
                        + if settings.ramp_ms > 0 {
                            settings.ramp_ms
                        } else {
                            settings.window_ms
                        };
                let in_a_row = verdict == Verdict::Failure && *row >= settings.consecutive_failures;
                let again = trips.filter(|_| !settled).map_or(0, |trips| trips + 1);
                self.ended.push(Ended {
                    at: now,
                    failed,
                    slow,
                });
                let [calls, failures, slow_ones] = self.counts(now);
                let share = |part, percent: u8| part * 100 >= calls * u64::from(percent);
                let tripped = calls >= settings.minimum_calls.into()
                    && (share(failures, settings.failure_percent)
                        || settings.slow_call_ms > 0 && share(slow_ones, settings.slow_percent));
                (in_a_row || tripped && (failed || slow)).then_some(again)
            }
            Phase::HalfOpen { trips, .. } if failed || slow => Some(*trips + 1),
            Phase::HalfOpen {
                trips,
                in_flight,
                passed,
                ..
            } => {
                (*in_flight, *passed) = (*in_flight - 1, *passed + 1);
                if *passed == settings.probes {
                    let trips = Some(*trips);
                    self.enter(Phase::Closed {
                        since: now,
                        row: 0,
                        trips,
                    });
                }
                None
            }
            Phase::Open { .. } => panic!("no call of this generation was granted"),
        }
    }

    fn vanish(&mut self) {
        if let Phase::HalfOpen { in_flight, .. } = &mut self.phase {
            *in_flight -= 1;
        }
    }

    /// Calls, failures and slow calls of the window.
    fn counts(&self, now: u64) -> [u64; 3] {
        let since = match self.phase {
            Phase::Closed { since, .. } => since,
            Phase::Open { .. } | Phase::HalfOpen { .. } => 0,
        };
        let slice = |at: u64| at / (self.settings.window_ms / 10);
        let live = |call: &&Ended| call.at >= since && slice(now) - slice(call.at) < 10;
        let count = |which: fn(&Ended) -> bool| {
            self.ended
                .iter()
                .filter(live)
                .filter(|call| which(call))
                .count() as u64
        };
        [
            count(|_| true),
            count(|call| call.failed),
            count(|call| call.slow),
        ]
    }

    fn agrees(&self, seen: Snapshot, now: u64) -> Result<(), TestCaseError> {
        prop_assert_eq!(seen.mode, self.mode);
        let [calls, failures, slow] = self.counts(now);
        prop_assert_eq!(
            [seen.window_calls, seen.window_failures, seen.window_slow],
            [calls, failures, slow]
        );
        prop_assert_eq!(seen.ramping_percent.map(u64::from), self.ramping(now));
        let (state, row, rest) = match self.phase {
            Phase::Closed { row, .. } => (State::Closed, row, 0),
            Phase::Open { until, .. } => (State::Open, 0, until.saturating_sub(now)),
            Phase::HalfOpen { .. } => (State::HalfOpen, 0, 0),
        };
        prop_assert_eq!(
            (seen.state, seen.consecutive_failures, seen.retry_after_ms),
            (state, row, rest)
        );
        Ok(())
    }
}

/// Tokio's clock, moved by hand: a permit that is dropped looks at it too.
struct Clock {
    runtime: Runtime,
    begun: Instant,
}

impl Clock {
    fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let begun = runtime.block_on(async { Instant::now() });
        Self { runtime, begun }
    }

    fn pass(&self, millis: u64) {
        self.runtime
            .block_on(tokio::time::advance(Duration::from_millis(millis)));
    }

    fn now(&self) -> (Instant, u64) {
        let now = self.runtime.block_on(async { Instant::now() });
        (now, u64::try_from((now - self.begun).as_millis()).unwrap())
    }
}

/// What the model makes of `permit`: whether its end counts, if that can be known from outside.
fn expect(
    model: &Model,
    permit: Result<&Permit<'_>, &Refused>,
    now: u64,
) -> Result<Option<bool>, TestCaseError> {
    let admission = model.admission(now);
    let passes = admission == Admission::Passes;
    match model.mode {
        Mode::ForcedOpen | Mode::ForcedClosed => {
            prop_assert_eq!(permit.is_ok(), model.mode == Mode::ForcedClosed);
            Ok(Some(false))
        }
        Mode::Automatic => {
            prop_assert!(permit.is_ok() == passes || admission == Admission::Either);
            Ok(Some(permit.is_ok()))
        }
        Mode::Shadow => {
            prop_assert!(permit.is_ok());
            Ok((admission != Admission::Either).then_some(passes))
        }
    }
}

/// Ends a call as `action` says, in the breaker and in the model. Gives how often it has opened
/// again, if it opens.
fn end(model: &mut Model, call: Granted<'_>, action: Action, clock: &Clock) -> Option<u32> {
    let (now, now_ms) = clock.now();
    let current = call.generation == Some(model.generation);
    let took = now_ms - call.at;
    let verdict = match action {
        Action::Record(_, verdict) => {
            call.permit.record(verdict, now);
            Some(verdict)
        }
        Action::Drop(_) => {
            clock.runtime.block_on(async { drop(call.permit) });
            let hung = match model.settings.slow_call_ms {
                0 => model.settings.max_half_open_ms,
                slow => slow,
            };
            (took >= hung).then_some(Verdict::Failure)
        }
        Action::Discard(_) => {
            call.permit.discard();
            None
        }
        _ => {
            std::mem::forget(call.permit);
            return None;
        }
    };
    match verdict {
        _ if !current => None,
        Some(verdict) => model.end(verdict, took, now_ms),
        None => {
            model.vanish();
            None
        }
    }
}

fn history(
    settings: BreakerSettings,
    seed: u64,
    actions: Vec<Action>,
) -> Result<(), TestCaseError> {
    let clock = Clock::new();
    let breaker = Breaker::new(&settings, clock.begun, seed).unwrap();
    let mut model = Model::new(settings);
    let mut granted: Vec<Granted<'_>> = Vec::new();
    for action in actions {
        let mut opens = None;
        match action {
            Action::Acquire => {
                let (now, at) = clock.now();
                let permit = breaker.acquire(now);
                let counts = expect(&model, permit.as_ref(), at)?;
                if counts == Some(true) {
                    model.grant(at);
                }
                let generation = (counts == Some(true)).then_some(model.generation);
                match permit {
                    // In shadow the breaker alone knows whom its ramp would have let pass.
                    Ok(permit) if counts.is_none() => permit.discard(),
                    Ok(permit) => granted.push(Granted {
                        permit,
                        at,
                        generation,
                    }),
                    Err(_) => {}
                }
            }
            Action::Pass(millis) => clock.pass(millis),
            Action::SetMode(mode) => {
                prop_assert_eq!(breaker.set_mode(mode), model.mode);
                model.mode = mode;
            }
            Action::Record(index, _)
            | Action::Drop(index)
            | Action::Discard(index)
            | Action::Forget(index) => {
                if !granted.is_empty() {
                    let call = granted.swap_remove(index.index(granted.len()));
                    opens = end(&mut model, call, action, &clock);
                }
            }
        }
        let (now, now_ms) = clock.now();
        let seen = breaker.snapshot(now);
        if let Some(trips) = opens {
            let doubled = settings.open_ms.saturating_mul(1 << trips.min(15));
            let (length, rest) = (doubled.min(settings.max_open_ms), seen.retry_after_ms);
            prop_assert!((length / 2..=length).contains(&rest), "{rest} of {length}");
            let until = now_ms + rest;
            model.enter(Phase::Open { until, trips });
        }
        model.agrees(seen, now_ms)?;
    }
    // Nobody comes back any more, and a call passes all the same.
    for call in granted {
        std::mem::forget(call.permit);
    }
    breaker.set_mode(Mode::Automatic);
    clock.pass(settings.max_open_ms + settings.max_half_open_ms + settings.ramp_ms);
    prop_assert!(breaker.acquire(clock.now().0).is_ok());
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_it_does_as_the_model_and_is_never_stuck(
        settings in settings(), seed: u64, actions in prop::collection::vec(actions(), 1..300),
    ) {
        history(settings, seed, actions)?;
    }
}
