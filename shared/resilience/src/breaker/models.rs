//! The permit and the state word under every interleaving of a few threads (`make loom`).
//!
//! Loom runs each closure again for each order in which its threads may touch the breaker's
//! atomics. The windows are not among these: they count, and decide nothing here.

use std::sync::atomic::AtomicUsize;

use loom::sync::Arc;
use loom::thread;

use super::*;

/// Opens with the first failure, and asks for so many probes.
fn breaker(probes: u8) -> (Breaker, Instant) {
    let settings = BreakerSettings {
        consecutive_failures: 1,
        probes,
        ..BreakerSettings::default()
    };
    let now = Instant::now();
    (Breaker::new(&settings, now, 7).unwrap(), now)
}

/// Open, with the time for probes come.
fn ready(probes: u8) -> (Arc<Breaker>, Instant) {
    let (breaker, now) = breaker(probes);
    fail(&breaker, now);
    (Arc::new(breaker), now + Duration::from_secs(5))
}

fn fail(breaker: &Breaker, now: Instant) {
    let permit = breaker.acquire(now).unwrap();
    permit.record(Verdict::Failure, now);
}

/// Runs `work` on two threads besides `here` on this one.
fn together<T: 'static>(
    breaker: &Arc<Breaker>,
    work: fn(&Breaker, Instant) -> T,
    now: Instant,
    here: impl FnOnce() -> T,
) -> [T; 3] {
    let threads = [(); 2].map(|()| {
        let breaker = Arc::clone(breaker);
        thread::spawn(move || work(&breaker, now))
    });
    let here = here();
    let [one, other] = threads.map(|thread| thread.join().unwrap());
    [one, other, here]
}

#[test]
fn never_more_probes_pass_than_allowed_and_never_fewer() {
    loom::model(|| {
        // In flight until the end.
        let probe = |breaker: &Breaker, now| breaker.acquire(now).map(std::mem::forget).is_ok();
        let (breaker, now) = ready(2);
        let passed = together(&breaker, probe, now, || probe(&breaker, now));
        assert_eq!(passed.into_iter().filter(|passed| *passed).count(), 2);
    });
}

#[test]
fn a_probe_that_vanishes_gives_its_place_back() {
    loom::model(|| {
        let vanish = |breaker: &Breaker, now| breaker.acquire(now).map(Permit::discard).is_ok();
        let (breaker, now) = ready(1);
        together(&breaker, vanish, now, || vanish(&breaker, now));
        assert!(breaker.acquire(now).is_ok());
        assert_eq!(breaker.state(), State::HalfOpen);
    });
}

#[test]
fn of_many_failures_one_opens_it_and_tells_so_once() {
    loom::model(|| {
        let told = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&told);
        let (breaker, now) = breaker(1);
        let breaker = Arc::new(breaker.on_transition(move |change| {
            assert_eq!((change.from, change.to), (State::Closed, State::Open));
            count.fetch_add(1, Ordering::Relaxed);
        }));
        let fail = |breaker: &Breaker, now| {
            if let Ok(permit) = breaker.acquire(now) {
                permit.record(Verdict::Failure, now);
            }
        };
        together(&breaker, fail, now, || fail(&breaker, now));
        assert_eq!(told.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_round_of_probes_is_told_as_it_was() {
    loom::model(|| {
        let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        let (breaker, now) = breaker(2);
        let breaker =
            Arc::new(breaker.on_transition(move |change| log.lock().unwrap().push(change.cause)));
        fail(&breaker, now);
        let now = now + Duration::from_secs(5);
        let succeed = |breaker: &Breaker, now| {
            if let Ok(permit) = breaker.acquire(now) {
                permit.record(Verdict::Success, now);
            }
        };
        together(&breaker, succeed, now, || succeed(&breaker, now));
        assert_eq!(breaker.state(), State::Closed);
        let mut heard = heard.lock().unwrap().clone();
        heard.sort_by_key(|cause| *cause as u8);
        assert_eq!(
            heard,
            [
                Cause::ConsecutiveFailures,
                Cause::TimeUp,
                Cause::ProbesPassed
            ]
        );
    });
}

#[test]
fn what_comes_from_before_the_outage_decides_nothing_while_probes_do() {
    loom::model(|| {
        let (breaker, begun) = breaker(2);
        let breaker = Arc::new(breaker);
        // Two calls are under way as a third opens it.
        let stale = [(); 2].map(|()| breaker.acquire(begun).unwrap());
        let [succeeds, fails] = stale.map(|permit| {
            let generation = permit.generation;
            std::mem::forget(permit);
            generation
        });
        fail(&breaker, begun);
        let now = begun + Duration::from_secs(5);
        let probe = breaker.acquire(now).unwrap();
        let threads = [(succeeds, Verdict::Success), (fails, Verdict::Failure)];
        let threads = threads.map(|(generation, verdict)| {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || {
                let late = Permit::new(&breaker, 0, generation, Role::Counted);
                late.record(verdict, now);
            })
        });
        probe.record(Verdict::Success, now);
        for thread in threads {
            thread.join().unwrap();
        }
        // One of two probes has passed, and nothing else has happened.
        assert_eq!(breaker.state(), State::HalfOpen);
        breaker.acquire(now).unwrap().record(Verdict::Success, now);
        assert_eq!(breaker.state(), State::Closed);
    });
}

#[test]
fn a_probe_that_fails_wins_over_one_that_vanishes() {
    loom::model(|| {
        let (breaker, now) = ready(2);
        let other = Arc::clone(&breaker);
        let vanishes = thread::spawn(move || other.acquire(now).map(Permit::discard).is_ok());
        fail(&breaker, now);
        vanishes.join().unwrap();
        assert_eq!(breaker.state(), State::Open);
        assert!(breaker.acquire(now).is_err());
    });
}
