//! Open live streams as admins see them: those of one replica, which is the one that answers.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::{CourseId, UserId};

/// How a stream reaches its client.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Server-Sent Events.
    Sse,
    /// WebSocket.
    Websocket,
}

impl Transport {
    /// The word on the wire and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sse => "sse",
            Self::Websocket => "websocket",
        }
    }
}

/// The answer of `GET /connections`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Connections {
    /// Streams that are open.
    pub open: OpenStreams,
    /// People who have at least one.
    pub people: u64,
    /// Courses that somebody listens to.
    pub courses: u64,
    /// How many there may be.
    pub limits: StreamLimits,
    /// What is written and not sent yet.
    pub waiting: Waiting,
    /// Streams that this replica has ended since it started, by transport and reason.
    pub cuts: Vec<Cut>,
    /// Those for which most waits, the oldest of them first; no more than `limit`.
    pub streams: Vec<LiveStream>,
}

/// Streams that are open, by transport.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenStreams {
    /// Of Server-Sent Events.
    pub sse: u64,
    /// On a WebSocket.
    pub websocket: u64,
}

/// The most streams there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamLimits {
    /// Of one person.
    pub per_user: u64,
    /// On one replica.
    pub per_node: u64,
}

/// What is written and not sent yet, because a client has not taken what came before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Waiting {
    /// Over all streams.
    pub total: u64,
    /// For the stream that is furthest behind.
    pub deepest: u64,
}

/// How often streams were ended for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cut {
    /// What they were sent by.
    pub transport: Transport,
    /// The reason of the close code, as in the metric `lyceum.live.ended`.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// One open stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LiveStream {
    /// Who listens.
    pub user_id: UserId,
    /// To which course; `null` to what the person is told.
    pub course_id: Option<CourseId>,
    /// What it is sent by.
    pub transport: Transport,
    /// Since when (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// What was sent on it.
    pub sent: u64,
    /// What waits to be sent.
    pub waiting: u64,
}
