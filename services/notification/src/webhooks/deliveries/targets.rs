//! Who is at the other end: how many messages are on their way to one host, and how it is doing.

use std::collections::HashMap;
use std::sync::Arc;

use lyceum_resilience::breaker::{Breaker, BreakerSettings};
use lyceum_resilience::deadline::Instant;

use super::report;

/// So many hosts are remembered that nothing is on its way to.
const REMEMBERED: usize = 1_000;

/// All hosts something was sent to of late, by host and port.
#[derive(Debug)]
pub(super) struct Targets {
    known: HashMap<String, Target>,
    per_target: usize,
}

#[derive(Debug)]
struct Target {
    under_way: usize,
    breaker: Arc<Breaker>,
}

impl Targets {
    /// None yet. At most `per_target` messages are to be on their way to each.
    pub(super) fn new(per_target: usize) -> Self {
        Self {
            known: HashMap::new(),
            per_target,
        }
    }

    /// How many messages may be sent there now.
    pub(super) fn room(&self, authority: &str, now: Instant) -> usize {
        let Some(target) = self.known.get(authority) else {
            return self.per_target;
        };
        if target.breaker.peek(now).is_err() {
            return 0;
        }
        self.per_target.saturating_sub(target.under_way)
    }

    /// Takes the place of one message; what to ask before it is sent. `None` when there can be no
    /// breaker, which a test rules out.
    pub(super) fn take(&mut self, authority: &str, now: Instant) -> Option<Arc<Breaker>> {
        if self.known.len() >= REMEMBERED {
            self.known.retain(|_, target| target.under_way > 0);
        }
        if !self.known.contains_key(authority) {
            let breaker = Arc::new(breaker(authority, now)?);
            let target = Target {
                under_way: 0,
                breaker,
            };
            self.known.insert(authority.to_owned(), target);
        }
        let target = self.known.get_mut(authority)?;
        target.under_way += 1;
        Some(target.breaker.clone())
    }

    /// Gives the place of one message back.
    pub(super) fn give_back(&mut self, authority: &str) {
        if let Some(target) = self.known.get_mut(authority) {
            target.under_way = target.under_way.saturating_sub(1);
        }
    }
}

fn breaker(authority: &str, now: Instant) -> Option<Breaker> {
    let settings = BreakerSettings {
        // Receivers are slow as they like; `webhooks.timeout_ms` ends it.
        slow_call_ms: 0,
        ..BreakerSettings::default()
    };
    let breaker = Breaker::new(&settings, now, fastrand::u64(..)).ok()?;
    let authority = authority.to_owned();
    Some(breaker.on_transition(move |transition| report::tell(&authority, transition)))
}

#[cfg(test)]
mod tests {
    use lyceum_resilience::breaker::Verdict;

    use super::*;

    #[test]
    fn a_host_has_so_many_places_and_each_host_its_own() {
        let now = Instant::now();
        let mut targets = Targets::new(2);
        assert_eq!(targets.room("a:443", now), 2);
        assert!(targets.take("a:443", now).is_some());
        assert!(targets.take("a:443", now).is_some());
        assert_eq!(targets.room("a:443", now), 0);
        assert_eq!(targets.room("a:8443", now), 2);
        targets.give_back("a:443");
        assert_eq!(targets.room("a:443", now), 1);
    }

    #[test]
    fn a_host_that_fails_again_and_again_has_no_room() {
        let now = Instant::now();
        let mut targets = Targets::new(2);
        for _ in 0..5 {
            let breaker = targets.take("a:443", now).unwrap();
            breaker.acquire(now).unwrap().record(Verdict::Failure, now);
            targets.give_back("a:443");
        }
        assert_eq!(targets.room("a:443", now), 0);
        assert_eq!(targets.room("b:443", now), 2);
    }
}
