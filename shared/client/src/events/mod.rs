//! What the policies decide, told at one place.
//!
//! Metrics count it, the log tells of what an operator must know, and a test writes it down. On
//! the path of a call that goes well nothing happens that is worth telling.

mod log;
pub(crate) mod metrics;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lyceum_resilience::breaker::Transition;

use self::metrics::Counters;
use crate::cache::Lookup;

/// One decision of the policies of an upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Another attempt goes out, paid from the budget: a repeat, or a hedge.
    Repeated {
        /// Its number, counted from 1; the first repeat is 2.
        attempt: u32,
        /// What went wrong before: a word of [`ClientError::reason`](crate::ClientError::reason),
        /// or `late` for a hedge.
        reason: &'static str,
        /// How long it waited, since the attempt before had failed or was late.
        wait: Duration,
    },
    /// A call or a repeat was refused here, and nothing was sent.
    Refused {
        /// A word of [`ClientError::reason`](crate::ClientError::reason), or `retry_budget`.
        reason: &'static str,
    },
    /// A read that may be answered from the cache was answered.
    Cache {
        /// How.
        lookup: Lookup,
    },
    /// A second attempt went out because the first was late, and one of the two decided.
    Hedged {
        /// Whether it was the second.
        second_won: bool,
    },
    /// An endpoint is left out because it fails far more often than its peers.
    Ejected {
        /// `host:port`.
        endpoint: Arc<str>,
        /// For how long.
        length: Duration,
    },
    /// The peer has other addresses than before.
    Endpoints {
        /// `host:port` of each.
        endpoints: Vec<Arc<str>>,
    },
    /// A breaker changed its state.
    Breaker {
        /// `host:port`.
        endpoint: Arc<str>,
        /// From where to where, and why.
        transition: Transition,
    },
}

/// Whoever listens beside metrics and log: the recorder of a test.
pub(crate) type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Hands every event of one upstream to those who want to know.
pub(crate) struct Observer {
    upstream: &'static str,
    counters: Counters,
    listener: Option<Listener>,
}

impl Observer {
    pub(crate) fn new(upstream: &'static str, listener: Option<Listener>) -> Self {
        Self {
            upstream,
            counters: Counters::new(upstream),
            listener,
        }
    }

    /// Runs inside the call that decided; nobody here blocks.
    pub(crate) fn tell(&self, event: &Event) {
        self.counters.count(event);
        log::tell(self.upstream, event);
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("upstream", &self.upstream)
            .finish_non_exhaustive()
    }
}
