//! The demo data of a stack whose services come up when they come up: tried until it is whole.

use std::time::Duration;

use lyceum_contracts::user::Credentials;
use tokio::sync::watch;

use crate::api::Api;
use crate::demo;

/// Between two tries: at first, and at most.
const WAITS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// As much of a reason as one reads.
const REASON_CHARACTERS: usize = 300;

/// Whether a person would find what the page promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Nobody wants demo data.
    Unwanted,
    /// Not all of it is there, and why.
    Waiting(String),
    /// All of it is there.
    Whole,
}

impl Readiness {
    /// Before the first try.
    pub fn begin(wanted: bool) -> Self {
        if wanted {
            Self::Waiting("the first try has not ended".to_owned())
        } else {
            Self::Unwanted
        }
    }

    /// Whether there is nothing to wait for.
    pub const fn is_ready(&self) -> bool {
        matches!(self, Self::Unwanted | Self::Whole)
    }

    /// In a few words, for a person.
    pub fn words(&self) -> String {
        match self {
            Self::Unwanted => "running; no demo data is wanted".to_owned(),
            Self::Waiting(reason) => format!("demo data is not whole: {reason}"),
            Self::Whole => "demo data is there".to_owned(),
        }
    }
}

/// Tries until the demo data is whole, and says at every turn how it stands.
pub async fn until_whole(api: &Api, admin: &Credentials, readiness: &watch::Sender<Readiness>) {
    let (mut wait, longest) = WAITS;
    let mut drafts = demo::Drafts::default();
    while let Err(error) = demo::prepare_again(api, admin, &mut drafts).await {
        let reason: String = error.to_string().chars().take(REASON_CHARACTERS).collect();
        let waiting = Readiness::Waiting(reason.clone());
        // A reason that stays is told once.
        if readiness.send_replace(waiting.clone()) != waiting {
            tracing::warn!(event = "demo.waiting", reason, "trying again");
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(longest);
    }
    readiness.send_replace(Readiness::Whole);
    tracing::info!(event = "demo.whole", "demo data is there");
}
