//! The client against a peer on a real socket, from the outside.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod answers;
mod breaker;
mod cache;
mod changes;
mod conventions;
mod deadlines;
mod endpoints;
mod faults;
mod hedges;
mod letters;
mod members;
mod peer;
mod pitfalls;
mod polls;
mod posts;
mod queue;
mod retries;
mod settings;
mod telemetry;
mod walks;

use lyceum_client::{CourseClient, Identity, ServiceAuthSettings, UpstreamSettings};
use lyceum_contracts::ids::UserId;
use serde_json::json;

use crate::peer::{Act, Peer};

fn identity(service: &'static str) -> Identity {
    let secret = "a secret for these tests, of 32 bytes".to_owned();
    let settings = ServiceAuthSettings {
        secrets: vec![secret.into()],
    };
    Identity::new(service, &settings).unwrap()
}

fn ada() -> UserId {
    UserId::try_from(1).unwrap()
}

/// A client of `peer` with the default settings, but for what the test is about.
fn client(peer: &Peer, configure: impl FnOnce(&mut UpstreamSettings)) -> CourseClient {
    let mut settings = UpstreamSettings {
        base_url: peer.base_url(),
        ..UpstreamSettings::default()
    };
    configure(&mut settings);
    CourseClient::new(&settings, &identity("user")).unwrap()
}

/// The answer to `stats_of`.
fn stats() -> Act {
    Act::json(200, &json!({"enrolled": 3, "dropped": 1, "teaching": 0}))
}
