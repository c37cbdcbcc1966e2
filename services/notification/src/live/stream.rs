//! One open stream: `sync`, then each notification in order, until somebody ends it.
//!
//! It begins at a place in the person's sequence and remembers the last one sent. While idle it
//! holds a seat in the hub and a timer: no connection, no transaction, no request.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use lyceum_chassis::auth::Watch;
use lyceum_chassis::database::Database;
use lyceum_contracts::notification::Notification;
use serde::Serialize;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::domain::{ByeEvent, ByeReason, Position, Start, SyncEvent};
use super::hub::Seat;
use super::sse::{self, Name};
use super::store;
use crate::state::State;

/// The most notifications read at once, and so held in memory for one stream.
const BATCH: u64 = 100;

/// The times a stream keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// An idle stream sends a comment this often.
    pub(crate) heartbeat: Duration,
    /// How long a client waits before it reconnects.
    pub(crate) retry: Duration,
}

/// An open stream.
#[derive(Debug)]
pub(super) struct Live {
    /// What is said first; none once it has been said.
    opening: Option<String>,
    follower: Follower,
    end: End,
}

/// What ends a stream from this side.
#[derive(Debug)]
struct End {
    stopping: CancellationToken,
    token_expires: Instant,
    token: Watch,
    retry: Duration,
    reached: bool,
}

/// Reads on from the last notification sent.
#[derive(Debug)]
struct Follower {
    database: Database,
    seat: Seat,
    /// Place of the last notification sent.
    sent: i64,
    heartbeat: Duration,
}

impl Live {
    /// A stream that begins at `start` of the sequence, which is at `position`, and ends when its
    /// token does or is called in, or the process stops.
    ///
    /// The seat must have been taken before the position was read: whatever was written between
    /// the two is then read, and whatever comes later wakes the seat.
    pub(super) fn new(
        state: &State,
        seat: Seat,
        position: Position,
        start: Start,
        token_expires: Instant,
        token: Watch,
        stopping: CancellationToken,
    ) -> Self {
        // What was written before the seat was taken has woken nobody.
        state.hub.wake(seat.user(), position.head_seq);
        let sync = SyncEvent {
            recovered: start.recovered,
            head_seq: position.head_seq,
            unread: position.unread,
        };
        // With an id, so that a client which is cut off before the first notification comes back
        // to this place.
        let sync = sse::event(Name::Sync, Some(start.after), &json(&sync));
        Self {
            opening: Some(sse::retry(state.pace.retry) + &sync),
            follower: Follower {
                database: state.database.clone(),
                seat,
                sent: start.after,
                heartbeat: state.pace.heartbeat,
            },
            end: End {
                stopping,
                token_expires,
                token,
                retry: state.pace.retry,
                reached: false,
            },
        }
    }

    /// The body of the response. It ends; it never fails.
    pub(super) fn into_body(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut live| async move {
            let chunk = live.next().await?;
            Some((Ok(Bytes::from(chunk)), live))
        })
    }

    async fn next(&mut self) -> Option<String> {
        if let Some(opening) = self.opening.take() {
            return Some(opening);
        }
        if self.end.reached {
            return None;
        }
        // In this order: a client that is far behind does not keep a stream from ending.
        tokio::select! {
            biased;
            farewell = self.end.farewell() => {
                self.end.reached = true;
                Some(farewell)
            }
            chunk = self.follower.next() => Some(chunk),
        }
    }
}

impl End {
    /// The last words, when it is time for them.
    async fn farewell(&mut self) -> String {
        tokio::select! {
            biased;
            () = self.stopping.cancelled() => {
                // All streams of a process end together; their clients shall not return together.
                let retry = u64::try_from(self.retry.as_millis()).unwrap_or(u64::MAX);
                sse::retry(self.retry + Duration::from_millis(fastrand::u64(0..=retry)))
            }
            () = self.token.revoked() => bye(ByeReason::TokenRevoked),
            () = sleep_until(self.token_expires) => bye(ByeReason::TokenExpired),
        }
    }
}

fn bye(reason: ByeReason) -> String {
    sse::event(Name::Bye, None, &json(&ByeEvent { reason }))
}

impl Follower {
    /// The next notifications as soon as there are any, or a sign of life.
    async fn next(&mut self) -> String {
        tokio::select! {
            biased;
            () = self.seat.beyond(self.sent) => {}
            () = sleep(self.heartbeat) => return sse::PING.to_owned(),
        }
        if let Some(chunk) = self.read().await {
            return chunk;
        }
        // The next try comes with the next sign of life. Ending the stream instead would send the
        // client to a service that cannot answer, and a refused EventSource never comes back.
        sleep(self.heartbeat).await;
        sse::PING.to_owned()
    }

    async fn read(&mut self) -> Option<String> {
        let rows = match store::after(&self.database, self.seat.user(), self.sent, BATCH).await {
            Ok(rows) => rows,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(event = "live.read_failed", error, "a stream is late");
                return None;
            }
        };
        self.sent = rows.last()?.seq;
        let notifications = rows.into_iter().map(Notification::from);
        Some(
            notifications
                .map(|it| sse::event(Name::Notification, Some(it.seq), &json(&it)))
                .collect(),
        )
    }
}

/// Types of ours with text keys always become JSON.
fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}
