//! What the mail servers of one run do with each letter, drawn from a seed: the same for the same
//! attempt at the same letter, whichever process makes it.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use lyceum_testing::smtp::{Attempt, Manners};
use tokio::sync::watch;

/// A server that is merely slow, on a machine that is busy, is waited for: a letter it took and
/// could not say so in time would come twice.
pub(super) const TIMEOUT: Duration = Duration::from_secs(8);

/// From this attempt on a letter that is not refused for good is taken, so that all come to their
/// end.
const WELL_DISPOSED: usize = 3;

/// The moods of all servers, and how often they were asked.
#[derive(Debug)]
pub(super) struct Moods {
    seed: u64,
    asked: Mutex<BTreeMap<String, usize>>,
    attempts: watch::Sender<Attempts>,
}

/// How often all servers were asked to take a letter, and by which replica last.
#[derive(Debug, Clone, Copy, Default)]
struct Attempts {
    count: usize,
    last_by: usize,
}

impl Moods {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            asked: Mutex::default(),
            attempts: watch::Sender::default(),
        }
    }

    /// What is done with this attempt of a replica.
    pub(super) fn manners(&self, replica: usize, attempt: &Attempt) -> Manners {
        let before = {
            let mut asked = self.asked.lock().unwrap();
            let asked = asked.entry(attempt.recipient.clone()).or_default();
            *asked += 1;
            *asked - 1
        };
        self.attempts.send_modify(|attempts| {
            attempts.count += 1;
            attempts.last_by = replica;
        });
        if let Some(code) = self.refused_for_good(&attempt.recipient) {
            return Manners::Refuse(code);
        }
        if before >= WELL_DISPOSED {
            return Manners::Accept;
        }
        let mut random = self.random(&attempt.recipient, before);
        match random.u8(0..100) {
            0..8 => Manners::Refuse(451),
            8..12 => Manners::RefuseLetter(452),
            12..15 => Manners::HangUp,
            15..18 => Manners::HangUpOnLetter,
            18..24 => Manners::AcceptAndHangUp,
            24..27 => Manners::AcceptAndLeave,
            27 => Manners::Delay(TIMEOUT + Duration::from_secs(1)),
            28..48 => Manners::Delay(Duration::from_millis(random.u64(1..60))),
            _ => Manners::Accept,
        }
    }

    /// The answer to whoever writes to this address, if it is always the same refusal.
    pub(super) fn refused_for_good(&self, recipient: &str) -> Option<u16> {
        match self.random(recipient, WELL_DISPOSED).u8(0..100) {
            0..2 => Some(550),
            2 => Some(551),
            3 => Some(553),
            _ => None,
        }
    }

    fn random(&self, recipient: &str, attempt: usize) -> Rng {
        let mixed = recipient
            .bytes()
            .map(u64::from)
            .fold(attempt as u64, |sum, b| {
                sum.wrapping_mul(31).wrapping_add(b)
            });
        Rng::with_seed(self.seed ^ mixed)
    }

    /// How many letters they were asked to take.
    pub(super) fn attempts(&self) -> usize {
        self.attempts.borrow().count
    }

    /// Waits until they were asked so often, and returns which replica is asking.
    pub(super) async fn wait_for_attempts(&self, count: usize) -> usize {
        let mut attempts = self.attempts.subscribe();
        let asked = attempts.wait_for(|attempts| attempts.count >= count).await;
        asked.unwrap().last_by
    }
}

/// Whether the server took the letter and whoever sent it cannot have heard so.
pub(super) fn is_unsaid(manners: &Manners) -> bool {
    match manners {
        Manners::AcceptAndHangUp => true,
        Manners::Delay(pause) => *pause > TIMEOUT,
        _ => false,
    }
}
