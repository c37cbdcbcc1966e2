//! A person's notifications as they come, and what happens in a course, on Server-Sent Events or a
//! WebSocket.
//!
//! A stream pulls: whoever writes a notification only tells the streams of its recipient that
//! there is one (`hub`), and each sends what it has not sent yet when its client has room
//! (`follower`), out of the hub if it keeps up and out of the database otherwise, a bounded batch
//! at a time. So a stream costs the same whatever waits for it, a slow reader is merely late or
//! is left, and a place in the sequence is all a client must remember to miss nothing, whichever
//! transport it comes back on.
//!
//! | module | what |
//! |---|---|
//! | `hub`, `heard`, `told`, `follower` | what is to be sent, for every transport |
//! | `topic`, `courses` | whose sequence it is; those of courses, and who may listen to them |
//! | `ending` | what ends a stream from this side |
//! | `bell`, `alarm` | how a stream waits for what happens seldom |
//! | `stream`, `sse` | Server-Sent Events |
//! | `socket` | WebSocket |
//! | `tickets`, `origin` | who may listen |
//! | `open`, `connections` | what an admin sees of open streams |
//! | `replicas`, `worker` | what other replicas have written |

mod alarm;
mod bell;
pub(crate) mod connections;
pub(crate) mod courses;
pub(crate) mod domain;
mod ending;
mod follower;
pub(crate) mod handlers;
mod heard;
mod hub;
mod metrics;
mod open;
mod origin;
pub(crate) mod replicas;
mod settings;
pub(crate) mod socket;
mod sse;
mod store;
mod stream;
pub(crate) mod tickets;
mod told;
mod topic;
pub(crate) mod worker;

use std::time::Duration;

pub(crate) use hub::{Full, Hub, Limits};
pub use settings::LiveSettings;
pub(crate) use topic::Topic;

/// The times a stream keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// An idle stream sends a comment this often.
    pub(crate) heartbeat: Duration,
    /// How long a client waits before it reconnects.
    pub(crate) retry: Duration,
}
