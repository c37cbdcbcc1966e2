//! Contestants that take turns, and the median of each one's batches.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Batches of each contestant.
const ROUNDS: usize = 15;
/// How long a batch is to take: long against a reading of the clock, short against what disturbs.
const BATCH: Duration = Duration::from_millis(4);
/// Operations whose allocations are counted.
const COUNTED: u32 = 1_000;

/// One thing that is measured.
pub struct Contestant {
    name: String,
    /// Does the work so many times.
    work: Box<dyn FnMut(u32)>,
}

/// What came of one contestant.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was measured.
    pub name: String,
    /// Nanoseconds of one operation, the median of the batches.
    pub nanos: f64,
    /// Allocations of one operation on the thread that did it.
    pub allocations: f64,
}

impl Contestant {
    /// Measures `operation`; what it returns is dropped inside the measurement.
    pub fn new<T>(name: impl Into<String>, mut operation: impl FnMut() -> T + 'static) -> Self {
        Self::in_batches(name, move |times| {
            for _ in 0..times {
                black_box(operation());
            }
        })
    }

    /// Measures a batch of the length it is told, for work that has threads of its own.
    pub fn in_batches(name: impl Into<String>, work: impl FnMut(u32) + 'static) -> Self {
        Self {
            name: name.into(),
            work: Box::new(work),
        }
    }

    fn batch(&mut self, times: u32) -> Duration {
        let begun = Instant::now();
        (self.work)(times);
        begun.elapsed()
    }

    /// How many operations make a batch, and warm up on the way.
    fn length(&mut self) -> u32 {
        let mut times = 1;
        loop {
            let took = self.batch(times);
            if took >= BATCH || times >= 1 << 24 {
                return times;
            }
            times *= 2;
        }
    }
}

/// Lets the contestants take turns. The outcomes are in their order.
pub fn race(mut contestants: Vec<Contestant>) -> Vec<Outcome> {
    let lengths: Vec<u32> = contestants.iter_mut().map(Contestant::length).collect();
    let mut nanos = vec![Vec::with_capacity(ROUNDS); contestants.len()];
    for round in 0..ROUNDS {
        for turn in 0..contestants.len() {
            let at = (turn + round) % contestants.len();
            let took = contestants[at].batch(lengths[at]);
            nanos[at].push(took.as_secs_f64() * 1e9 / f64::from(lengths[at]));
        }
    }
    let outcome = |(mut contestant, nanos): (Contestant, Vec<f64>)| {
        let counted = allocation_counter::measure(|| (contestant.work)(COUNTED));
        Outcome {
            name: contestant.name,
            nanos: median(nanos),
            allocations: per_operation(counted.count_total, COUNTED),
        }
    };
    contestants.into_iter().zip(nanos).map(outcome).collect()
}

/// A count of many operations as one of one.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn per_operation(count: u64, operations: u32) -> f64 {
    count as f64 / f64::from(operations)
}

/// The middle value; not a number when there is none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Polls a future that waits for nothing until it is ready.
pub fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Has `operation` done `times` times on each of two threads at once.
pub fn on_two_threads<T>(times: u32, operation: impl Fn() -> T + Sync) {
    let work = || {
        for _ in 0..times {
            black_box(operation());
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
}
