//! Connections to Postgres that a worker keeps between statements.
//!
//! The pool of sqlx pings each connection that is given back: a second round trip per statement. A
//! worker of actix runs on one thread and asks one thing after the other, so it keeps the few
//! connections it works with and gives them back now and then. `docs/BENCHMARKS.md` says what that
//! saves.
//!
//! - **Only what is in order is kept**: a connection whose statement ran to its end. One whose
//!   statement failed, or whose caller left, goes back to the pool, which looks at it.
//! - **Nobody waits for what is kept**: when the pool has run dry nothing is kept, and whoever finds
//!   it dry has all that is kept given back.
//! - **Nothing is kept for long**: after [`KEPT_FOR`] a connection goes back, so that its age, its
//!   idle time and its health stay the pool's affair.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::pool::PoolConnection;
use sea_orm::sqlx::{self, PgPool, Postgres};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use tokio::runtime::{Handle, RuntimeFlavor};

use super::watch::{self, Watch};

/// Connections one worker keeps at most: as many as it has statements under way at once, mostly.
const KEPT: usize = 8;
/// A connection goes back to the pool after this: one ping per second is no burden.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(1);
/// Workers with a place of their own; more share them.
const PLACES: usize = 64;

static NEXT_PLACE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The kept connections of one pool; clones share them.
#[derive(Clone)]
pub(super) struct Stash(Arc<Shared>);

struct Shared {
    pool: PgPool,
    max_connections: u32,
    watch: Watch,
    places: Vec<Mutex<Vec<Leased>>>,
}

/// A connection outside the pool.
pub(super) struct Leased {
    pub(super) connection: PoolConnection<Postgres>,
    /// When the pool handed it out.
    since: Instant,
}

impl Stash {
    pub(super) fn new(pool: PgPool, max_connections: u32, watch: Watch) -> Self {
        Self(Arc::new(Shared {
            pool,
            max_connections,
            watch,
            places: (0..PLACES).map(|_| Mutex::default()).collect(),
        }))
    }

    /// A connection this worker has kept, or one of the pool's.
    pub(super) async fn take(&self) -> Result<Leased, DbErr> {
        let kept = self.place().and_then(|mut place| place.pop());
        if let Some(leased) = kept
            && leased.since.elapsed() < KEPT_FOR
            && !self.0.watch.suspects(leased.since.elapsed())
        {
            watch::handed_out();
            return Ok(leased);
        }
        self.give_back_if_dry();
        let connection = self.0.pool.acquire().await.map_err(not_acquired)?;
        Ok(Leased {
            connection,
            since: Instant::now(),
        })
    }

    /// Keeps a connection whose statement ran to its end, or gives it back.
    pub(super) fn keep(&self, leased: Leased) {
        if self.is_dry() || self.0.pool.is_closed() || leased.since.elapsed() >= KEPT_FOR {
            return;
        }
        if let Some(mut place) = self.place()
            && place.len() < KEPT
        {
            place.push(leased);
        }
    }

    /// Before somebody waits for a connection of the pool: there may be some nobody uses.
    pub(super) fn give_back_if_dry(&self) {
        if self.is_dry() {
            self.give_back(|_| true);
        }
    }

    /// Gives back what is kept for too long; for a task that comes by now and then.
    pub(super) fn give_back_old(&self) {
        self.give_back(|leased| leased.since.elapsed() >= KEPT_FOR);
    }

    /// Gives back everything.
    pub(super) fn give_back_all(&self) {
        self.give_back(|_| true);
    }

    /// How many connections are kept now.
    pub(super) fn len(&self) -> usize {
        self.0.places.iter().map(|place| locked(place).len()).sum()
    }

    fn give_back(&self, which: impl Fn(&Leased) -> bool) {
        for place in &self.0.places {
            // Out of the lock before they are dropped, which wakes others.
            let back: Vec<_> = locked(place)
                .extract_if(.., |leased| which(leased))
                .collect();
            drop(back);
        }
    }

    fn is_dry(&self) -> bool {
        self.0.pool.num_idle() == 0 && self.0.pool.size() >= self.0.max_connections
    }

    /// The place of this thread, if it is one that runs one task after the other: elsewhere tasks
    /// move between threads, and what one has kept the next would not find.
    fn place(&self) -> Option<MutexGuard<'_, Vec<Leased>>> {
        let flavor = Handle::try_current().ok()?.runtime_flavor();
        if flavor != RuntimeFlavor::CurrentThread {
            return None;
        }
        let place = PLACE.with(|place| {
            place.get().unwrap_or_else(|| {
                let next = NEXT_PLACE.fetch_add(1, Ordering::Relaxed) % PLACES;
                place.set(Some(next));
                next
            })
        });
        self.0.places.get(place).map(locked)
    }
}

/// Outside a runtime, where a connection cannot go back, it is left to the end of the process.
impl Drop for Shared {
    fn drop(&mut self) {
        if Handle::try_current().is_err() {
            for place in &self.places {
                locked(place).drain(..).for_each(std::mem::forget);
            }
        }
    }
}

fn locked(place: &Mutex<Vec<Leased>>) -> MutexGuard<'_, Vec<Leased>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

fn not_acquired(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}
