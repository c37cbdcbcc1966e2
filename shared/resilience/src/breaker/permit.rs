//! The right to make one call, and the verdict that comes back.

use super::Breaker;
use crate::deadline::Instant;

/// What a finished call says about its peer.
///
/// Local refusals (no slot, no budget, no time) and calls whose caller went away have no verdict:
/// drop the permit, or discard it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The peer answered; that the answer was "no" does not matter.
    Success,
    /// The peer answered that it is broken, or not at all, or not in time.
    Failure,
    /// The peer asked for less traffic: counts in the share and fails a probe, but a row of these
    /// does not make a dead peer.
    Throttled,
}

/// How the verdict of a permit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A call of a closed breaker.
    Counted,
    /// One of the few calls of a half-open breaker.
    Probe,
    /// Passed on an operator's word, or told its verdict already.
    Uncounted,
}

/// One call may be made. Say what became of it with [`record`](Self::record).
///
/// A permit that is dropped instead has lost its caller. If that was soon, it says nothing about
/// the peer. If the call had already taken as long as a slow one (or, with slow calls not judged,
/// as long as `max_half_open_ms`), somebody outside has given up on a peer that hangs: a failure.
#[must_use = "a permit dropped at once says nothing about the peer"]
#[derive(Debug)]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    /// Nanoseconds since the breaker was made.
    granted_ns: u64,
    pub(super) generation: u16,
    pub(super) role: Role,
}

impl<'a> Permit<'a> {
    pub(super) const fn new(
        breaker: &'a Breaker,
        granted_ns: u64,
        generation: u16,
        role: Role,
    ) -> Self {
        Self {
            breaker,
            granted_ns,
            generation,
            role,
        }
    }

    /// Tells the verdict of the call that ended at `now`. One that took long is slow as well.
    pub fn record(mut self, verdict: Verdict, now: Instant) {
        self.settle(verdict, self.breaker.nanos(now));
    }

    /// Ends the call without a verdict, however long it took.
    pub fn discard(mut self) {
        self.abandon();
    }

    fn settle(&mut self, verdict: Verdict, now_ns: u64) {
        if self.role != Role::Uncounted {
            let took_ns = now_ns.saturating_sub(self.granted_ns);
            self.breaker
                .settle(self.generation, verdict, took_ns, now_ns);
            self.role = Role::Uncounted;
        }
    }

    fn abandon(&mut self) {
        if self.role == Role::Probe {
            self.breaker.abandon(self.generation);
        }
        self.role = Role::Uncounted;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.role != Role::Uncounted {
            let now_ns = self.breaker.nanos(Instant::now());
            let took_ns = now_ns.saturating_sub(self.granted_ns);
            if took_ns >= self.breaker.settings.hung_ns() {
                self.settle(Verdict::Failure, now_ns);
            } else {
                self.abandon();
            }
        }
    }
}
