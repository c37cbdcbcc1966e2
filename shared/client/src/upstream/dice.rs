//! Where the client's randomness comes from: each thread's own generator, or a seed of a test.

#[cfg(any(test, feature = "testing"))]
use std::sync::{Mutex, PoisonError};

use fastrand::Rng;

pub(crate) enum Dice {
    /// No lock, no order that could be repeated.
    Thread,
    /// The same again for the same seed.
    #[cfg(any(test, feature = "testing"))]
    Seeded(Mutex<Rng>),
}

impl Dice {
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn seeded(seed: u64) -> Self {
        Self::Seeded(Mutex::new(Rng::with_seed(seed)))
    }

    /// Lets `draw` have a generator.
    pub(crate) fn with<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        match self {
            // Forked from the thread's own, which needs no system call.
            Self::Thread => draw(&mut Rng::new()),
            #[cfg(any(test, feature = "testing"))]
            Self::Seeded(rng) => draw(&mut rng.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.with(|rng| rng.u64(..))
    }
}
