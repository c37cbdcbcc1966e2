//! What operators see and do: modes, events, other settings while it runs.

use std::sync::{Arc, Mutex};

use lyceum_resilience::breaker::{BreakerSettings, Cause, Mode, State, Transition, Verdict};

use crate::Bench;

impl Bench {
    fn becomes(&mut self, settings: BreakerSettings) {
        self.breaker = self.breaker.succeed(&settings, self.now()).unwrap();
    }

    pub(super) fn listen(mut self) -> (Self, Arc<Mutex<Vec<Transition>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        self.breaker = self
            .breaker
            .on_transition(move |change| log.lock().unwrap().push(change));
        (self, heard)
    }
}

#[test]
fn forced_open_nothing_passes() {
    let bench = Bench::new(BreakerSettings::default());
    assert_eq!(bench.breaker.set_mode(Mode::ForcedOpen), Mode::Automatic);
    assert!(bench.call(Verdict::Success).is_err());
    assert!(bench.breaker.peek(bench.now()).is_err());
    assert_eq!(bench.breaker.set_mode(Mode::Automatic), Mode::ForcedOpen);
    bench.succeed(1);
}

#[test]
fn forced_closed_everything_passes_and_nothing_counts() {
    let bench = Bench::new(BreakerSettings::default());
    bench.fail(5);
    bench.breaker.set_mode(Mode::ForcedClosed);
    assert_eq!(bench.breaker.peek(bench.now()), Ok(()));
    bench.succeed(100);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn in_shadow_everything_passes_while_the_state_shows_what_would_be() {
    let (bench, heard) = Bench::new(BreakerSettings::default()).listen();
    bench.breaker.set_mode(Mode::Shadow);
    bench.fail(100);
    assert_eq!(bench.state(), State::Open);
    assert_eq!(bench.breaker.peek(bench.now()), Ok(()));
    assert_eq!(heard.lock().unwrap()[0].mode, Mode::Shadow);
}

#[test]
fn released_it_goes_on_where_it_was_left() {
    let bench = Bench::new(BreakerSettings::default());
    bench.fail(5);
    bench.breaker.set_mode(Mode::ForcedClosed);
    bench.succeed(10);
    bench.breaker.set_mode(Mode::Automatic);
    assert!(bench.call(Verdict::Success).is_err());
    bench.rest();
    bench.succeed(3);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn every_change_of_state_is_told_once_in_order_and_with_its_cause() {
    let (bench, heard) = Bench::new(BreakerSettings::default()).listen();
    bench.fail(5);
    bench.rest();
    bench.fail(1);
    bench.rest();
    bench.succeed(3);
    let heard: Vec<_> = heard
        .lock()
        .unwrap()
        .drain(..)
        .map(|change| (change.from, change.to, change.cause))
        .collect();
    assert_eq!(
        heard,
        [
            (State::Closed, State::Open, Cause::ConsecutiveFailures),
            (State::Open, State::HalfOpen, Cause::TimeUp),
            (State::HalfOpen, State::Open, Cause::FailedProbe),
            (State::Open, State::HalfOpen, Cause::TimeUp),
            (State::HalfOpen, State::Closed, Cause::ProbesPassed),
        ]
    );
}

#[test]
fn a_share_is_told_as_the_cause() {
    let (bench, heard) = Bench::by_share().listen();
    bench.fail(20);
    let change = heard.lock().unwrap()[0];
    assert_eq!(change.cause, Cause::FailureShare);
    assert_eq!(
        change.open_for.as_millis(),
        bench.snapshot().retry_after_ms.into()
    );

    let (bench, heard) = Bench::by_share().listen();
    let permits: Vec<_> = (0..20).map(|_| bench.acquire().unwrap()).collect();
    bench.pass(1_000);
    for permit in permits {
        permit.record(Verdict::Success, bench.now());
    }
    assert_eq!(heard.lock().unwrap()[0].cause, Cause::SlowShare);
}

#[test]
fn a_cause_has_the_name_it_has_in_json() {
    for cause in [
        Cause::ConsecutiveFailures,
        Cause::FailureShare,
        Cause::SlowShare,
        Cause::FailedProbe,
        Cause::TimeUp,
        Cause::ProbesPassed,
    ] {
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
    }
}

#[test]
fn under_other_settings_a_closed_one_keeps_its_counts() {
    let mut bench = Bench::new(BreakerSettings::default());
    bench.succeed(30);
    bench.fail(4);
    for window_ms in [10_000, 20_000] {
        bench.becomes(BreakerSettings {
            window_ms,
            ..BreakerSettings::default()
        });
        let snapshot = bench.snapshot();
        assert_eq!(snapshot.window_calls, 34);
        assert_eq!(snapshot.window_failures, 4);
        assert_eq!(snapshot.consecutive_failures, 4);
    }
    bench.fail(1);
    assert_eq!(bench.state(), State::Open);
}

#[test]
fn under_other_settings_an_open_one_stays_open_but_no_longer_than_they_allow() {
    let mut bench = Bench::new(BreakerSettings::default());
    bench.fail(5);
    let rest = bench.snapshot().retry_after_ms;
    bench.becomes(BreakerSettings::default());
    assert_eq!(bench.snapshot().retry_after_ms, rest);
    bench.becomes(BreakerSettings {
        open_ms: 2_000,
        max_open_ms: 2_000,
        ..BreakerSettings::default()
    });
    assert_eq!(bench.snapshot().retry_after_ms, 2_000);
}

#[test]
fn under_other_settings_a_half_open_one_asks_for_all_its_probes_anew() {
    let mut bench = Bench::ready_for_probes();
    bench.succeed(2);
    bench.becomes(BreakerSettings::default());
    assert_eq!(bench.breaker.peek(bench.now()), Ok(()));
    bench.succeed(2);
    assert_eq!(bench.state(), State::HalfOpen);
    bench.succeed(1);
    assert_eq!(bench.state(), State::Closed);
}

#[test]
fn under_other_settings_the_operators_word_and_the_ramp_stay() {
    let mut bench = Bench::ready_for_probes();
    bench.succeed(3);
    bench.breaker.set_mode(Mode::Shadow);
    bench.pass(2_000);
    bench.becomes(BreakerSettings::default());
    assert_eq!(bench.breaker.mode(), Mode::Shadow);
    assert_eq!(bench.snapshot().ramping_percent, Some(20));
}

#[test]
fn settings_that_cannot_work_leave_the_breaker_as_it_is() {
    let bench = Bench::new(BreakerSettings::default());
    let invalid = BreakerSettings {
        slow_percent: 0,
        ..BreakerSettings::default()
    };
    let error = bench.breaker.succeed(&invalid, bench.now()).unwrap_err();
    assert_eq!(error.key, "breaker.slow_percent");
}
