//! One open stream of Server-Sent Events: `sync`, then each notification in order, until somebody
//! ends it.

use std::convert::Infallible;

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use serde::Serialize;
use tokio::time::Instant;

use super::Pace;
use super::alarm::Alarm;
use super::domain::{ByeEvent, ByeReason, Position, Start, SyncEvent, come_back_in};
use super::ending::{Ending, Farewell};
use super::follower::Follower;
use super::hub::{Cut, Seat};
use super::sse::{self, Name};
use crate::state::State;

/// An open stream.
#[derive(Debug)]
pub(super) struct Live {
    /// What is said first; none once it has been said.
    opening: Option<String>,
    follower: Follower,
    ending: Ending,
    cut: Cut,
    pace: Pace,
    /// When a sign of life is due.
    beat_at: Instant,
    beat: Alarm,
    ended: bool,
}

impl Live {
    /// A stream that begins at `start` of the sequence, which is at `position`.
    ///
    /// The seat must have been taken before the position was read: whatever was written between
    /// the two is then read, and whatever comes later wakes the seat.
    pub(super) fn new(
        state: &State,
        seat: Seat,
        position: Position,
        start: Start,
        ending: Ending,
    ) -> Self {
        let pace = state.pace;
        let beat_at = Instant::now() + pace.heartbeat;
        let sync = SyncEvent {
            recovered: start.recovered,
            head_seq: position.head_seq,
            unread: position.count.map(|count| count.unread),
            capped: position.count.map(|count| count.capped),
        };
        // With an id, so that a client which is cut off before the first notification comes back
        // to this place.
        let sync = sse::event(Name::Sync, Some(start.after), &json(&sync));
        Self {
            opening: Some(sse::retry(pace.retry) + &sync),
            cut: seat.cut(),
            follower: Follower::new(
                state.database.clone(),
                seat,
                start.after,
                position.head_seq,
                pace.heartbeat,
            ),
            ending,
            pace,
            beat_at,
            beat: Alarm::at(beat_at),
            ended: false,
        }
    }

    /// The body of the response. It ends; it never fails.
    pub(super) fn into_body(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut live| async move {
            let chunk = live.next().await?;
            Some((Ok(chunk), live))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        if let Some(opening) = self.opening.take() {
            return Some(opening.into());
        }
        if self.ended {
            return None;
        }
        // In this order: a client that is far behind does not keep a stream from ending.
        let chunk = tokio::select! {
            biased;
            farewell = self.ending.reached() => self.farewell(farewell).into(),
            told = self.follower.next() => told.event(),
            () = self.beat.reached(self.beat_at) => Bytes::from_static(sse::PING.as_bytes()),
        };
        self.beat_at = Instant::now() + self.pace.heartbeat;
        Some(chunk)
    }

    /// The last words.
    fn farewell(&mut self, farewell: Farewell) -> String {
        self.ended = true;
        let (reason, words) = match farewell {
            Farewell::Stopping => ("stopping", sse::retry(come_back_in(self.pace.retry))),
            Farewell::TokenRevoked => ("token_revoked", bye(ByeReason::TokenRevoked)),
            Farewell::TokenExpired => ("token_expired", bye(ByeReason::TokenExpired)),
            Farewell::NotAMember => ("not_a_member", bye(ByeReason::NotAMember)),
        };
        self.cut.because(reason);
        words
    }
}

fn bye(reason: ByeReason) -> String {
    sse::event(Name::Bye, None, &json(&ByeEvent { reason }))
}

/// Types of ours with text keys always become JSON.
fn json(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_default()
}
