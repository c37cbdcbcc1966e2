//! Contestants that take turns, and the median of each one's batches.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Batches of each contestant.
const ROUNDS: usize = 101;
/// How long a batch is to take: long against a reading of the clock, and short against the slices
/// a busy machine gives its processes, so that most batches run undisturbed.
const BATCH: Duration = Duration::from_micros(300);
/// The same where the batch starts threads, which costs a tenth of a millisecond.
const BATCH_OF_THREADS: Duration = Duration::from_millis(5);
/// Operations whose allocations are counted.
const COUNTED: u32 = 1_000;

/// One thing that is measured.
pub struct Contestant {
    name: String,
    /// Does the work so many times and tells how long it took.
    work: Box<dyn FnMut(u32) -> Duration>,
    length: Length,
}

#[derive(Clone, Copy)]
enum Length {
    /// As many operations as take this long.
    Lasting(Duration),
    Of(u32),
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
        let work = move |times| {
            let begun = Instant::now();
            for _ in 0..times {
                black_box(operation());
            }
            begun.elapsed()
        };
        Self {
            name: name.into(),
            work: Box::new(work),
            length: Length::Lasting(BATCH),
        }
    }

    /// Measures work that starts threads of its own, each of which does it so many times.
    pub fn of_threads(name: impl Into<String>, mut work: impl FnMut(u32) + 'static) -> Self {
        let work = move |times| {
            let begun = Instant::now();
            work(times);
            begun.elapsed()
        };
        Self {
            name: name.into(),
            work: Box::new(work),
            length: Length::Lasting(BATCH_OF_THREADS),
        }
    }

    /// Measures work that prepares each batch of `length` operations, and times itself.
    pub fn prepared(
        name: impl Into<String>,
        length: u32,
        work: impl FnMut(u32) -> Duration + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            work: Box::new(work),
            length: Length::Of(length),
        }
    }

    /// How many operations make a batch; warms up on the way.
    fn length(&mut self) -> u32 {
        let target = match self.length {
            Length::Of(times) => return times,
            Length::Lasting(target) => target,
        };
        let mut times = 1;
        while (self.work)(times) < target && times < 1 << 24 {
            times *= 2;
        }
        times
    }
}

/// Lets the contestants take turns. The outcomes are in their order.
pub fn race(mut contestants: Vec<Contestant>) -> Vec<Outcome> {
    let lengths: Vec<u32> = contestants.iter_mut().map(Contestant::length).collect();
    let mut nanos = vec![Vec::with_capacity(ROUNDS); contestants.len()];
    for round in 0..ROUNDS {
        for turn in 0..contestants.len() {
            let at = (turn + round) % contestants.len();
            let took = (contestants[at].work)(lengths[at]);
            nanos[at].push(took.as_secs_f64() * 1e9 / f64::from(lengths[at]));
        }
    }
    let outcome = |(mut contestant, nanos): (Contestant, Vec<f64>)| {
        let counted = allocation_counter::measure(|| {
            (contestant.work)(COUNTED);
        });
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
