//! Reads on from the last notification sent, whatever it is sent by.
//!
//! Idle it holds a seat in the hub: no connection, no transaction, no request. What was just
//! written here comes out of the hub; all else is read from the database, a bounded batch at a
//! time, and never before the client has room for it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, DbErr};
use tokio::time::{Instant, sleep_until};

use super::hub::Seat;
use super::store;
use super::told::Told;

/// The most notifications read at once; fewer after some that were long.
const BATCH: usize = 128;
/// The most bytes of them that are kept for one stream; what is beyond is read again. As much as
/// peers keep for a slow reader, or less: Centrifugo 1 MiB, Mercure 1000 messages.
const KEPT_BYTES: usize = 256 * 1024;

/// The rest of one sequence, from a place on.
pub(super) struct Follower {
    database: Database,
    seat: Seat,
    /// Place of the last notification handed out.
    sent: i64,
    /// Up to here the database is asked: what the hub keeps may have been read since.
    old_until: i64,
    waiting: VecDeque<Arc<Told>>,
    batch: usize,
    /// Goes on although whoever waits for it turns to something else in between.
    reading: Option<Reading>,
    /// After a failure, when the database is asked again.
    rest_until: Option<Instant>,
    rest: Duration,
}

type Reading = LocalBoxFuture<'static, Result<Vec<Told>, DbErr>>;

impl Follower {
    /// Follows the sequence, which is at `head`, from after `sent` on. A failing database is asked
    /// again after `rest`.
    pub(super) fn new(
        database: Database,
        seat: Seat,
        sent: i64,
        head: i64,
        rest: Duration,
    ) -> Self {
        seat.begins_after(sent);
        // What was written before the seat was taken has woken nobody.
        seat.wake(head);
        Self {
            database,
            seat,
            sent,
            old_until: head,
            waiting: VecDeque::new(),
            batch: BATCH,
            reading: None,
            rest_until: None,
            rest,
        }
    }

    /// The next notification, as soon as there is one. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Arc<Told> {
        loop {
            if let Some(told) = self.waiting.pop_front() {
                self.sent = told.seq();
                if self.waiting.is_empty() {
                    // An idle stream keeps no buffer.
                    self.waiting = VecDeque::new();
                }
                self.seat.delivered(self.sent);
                return told;
            }
            if let Some(moment) = self.rest_until {
                sleep_until(moment).await;
                self.rest_until = None;
            }
            if let Err(error) = self.look().await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(event = "live.read_failed", error, "a stream is late");
            }
            if self.waiting.is_empty() {
                // Ending the stream instead would send the client to a service that cannot
                // answer, and a refused EventSource never comes back.
                self.rest_until = Some(Instant::now() + self.rest);
            }
        }
    }

    /// Waits until there is something, and gets it.
    async fn look(&mut self) -> Result<(), DbErr> {
        if self.reading.is_none() {
            self.seat.beyond(self.sent).await;
            if self.sent >= self.old_until {
                self.waiting.extend(self.seat.heard_after(self.sent));
                if !self.waiting.is_empty() {
                    return Ok(());
                }
            }
        }
        let reading = self.reading.get_or_insert_with(|| {
            let (database, topic, sent) = (self.database.clone(), self.seat.topic(), self.sent);
            let limit = self.batch as u64;
            Box::pin(async move { store::after(&database, topic, sent, limit, clock::now()).await })
        });
        let rows = reading.await;
        self.reading = None;
        let rows = rows?;
        let read = rows.len();
        let mut room = KEPT_BYTES;
        for told in rows {
            let weight = told.weight();
            if weight > room && !self.waiting.is_empty() {
                break;
            }
            room = room.saturating_sub(weight);
            self.waiting.push_back(Arc::new(told));
        }
        // What had no room was read in vain.
        let kept = self.waiting.len();
        self.batch = if kept < read {
            kept
        } else {
            (kept * 2).clamp(1, BATCH)
        };
        Ok(())
    }
}

impl fmt::Debug for Follower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follower")
            .field("sent", &self.sent)
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
