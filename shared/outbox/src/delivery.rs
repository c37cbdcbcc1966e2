//! One claimed batch, told to the peer: what to do with each answer.
//!
//! Whose fault is it? A refusal of what the batch *says* divides it until the culprit stands
//! alone. Anything else is the peer's condition: the rows go back and the relay waits.

use std::time::Duration;

use lyceum_chassis::clock;
use lyceum_client::ClientError;
use lyceum_contracts::event::{Envelope, Event};
use lyceum_contracts::notification::EventBatch;
use lyceum_telemetry::context;
use sea_orm::DbErr;
use serde::Deserialize;
use time::OffsetDateTime;
use tracing::{Instrument, Span};

use crate::entity::waiting;
use crate::relay::{Pass, Relay};
use crate::store;

/// How long replicas of two releases may share a database.
const ROLL_OUT: Duration = Duration::from_hours(1);

/// How a pass over the outbox ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is due any more.
    Drained,
    /// The peer cannot be told now; what was not told is due again.
    PeerUnavailable {
        /// How long the peer, or its breaker, wants to be left alone.
        retry_after: Option<Duration>,
    },
}

/// A row and what is sent of it.
struct Parcel {
    row: waiting::Model,
    envelope: Envelope,
}

/// What the peer's answer says about a batch.
enum Verdict {
    Told,
    /// The peer refuses what is in it.
    Refused {
        status: u16,
    },
    /// Nothing about the batch.
    Unavailable {
        retry_after: Option<Duration>,
    },
}

impl Relay {
    /// Tells `rows` in order, in a span of its own that links to the trace of each.
    pub(crate) async fn deliver(
        &self,
        rows: Vec<waiting::Model>,
        lease_end: OffsetDateTime,
        pass: &mut Pass,
    ) -> Result<Outcome, DbErr> {
        let span = delivery_span(&rows);
        let delivery = async {
            let parcels = self.wrap(rows, pass).await?;
            self.deliver_parts(parcels, lease_end, pass).await
        };
        delivery.instrument(span).await
    }

    async fn deliver_parts(
        &self,
        parcels: Vec<Parcel>,
        lease_end: OffsetDateTime,
        pass: &mut Pass,
    ) -> Result<Outcome, DbErr> {
        // A stack of parts still to be told, the oldest on top.
        let mut parts = vec![parcels];
        while let Some(mut part) = parts.pop() {
            match self.tell(&part).await {
                Verdict::Told => {
                    store::delete(&self.database, ids(&part)).await?;
                    self.metrics.delivered(part.len());
                    pass.delivered += part.len();
                    let peer = self.peer.destination().as_str();
                    tracing::debug!(
                        event = "outbox.delivered",
                        events = part.len(),
                        peer,
                        "told"
                    );
                }
                Verdict::Unavailable { retry_after } => {
                    parts.push(part);
                    let untold = parts.iter().flat_map(|part| ids(part));
                    store::release(&self.database, untold, lease_end, clock::now()).await?;
                    return Ok(Outcome::PeerUnavailable { retry_after });
                }
                Verdict::Refused { status } => {
                    let later = part.split_off(part.len() / 2);
                    if part.is_empty() {
                        for culprit in later {
                            self.bury(culprit.row, format!("refused with status {status}"), pass)
                                .await?;
                        }
                    } else {
                        parts.push(later);
                        parts.push(part);
                    }
                }
            }
        }
        Ok(Outcome::Drained)
    }

    async fn tell(&self, part: &[Parcel]) -> Verdict {
        if part.is_empty() {
            return Verdict::Told;
        }
        let events = part.iter().map(|parcel| parcel.envelope.clone()).collect();
        let Err(error) = self.peer.publish(&EventBatch { events }).await else {
            return Verdict::Told;
        };
        self.metrics.failed(error.reason());
        match error {
            ClientError::Refused { problem, .. } if is_about_content(problem.status) => {
                Verdict::Refused {
                    status: problem.status,
                }
            }
            ClientError::Refused { retry_after, .. } => Verdict::Unavailable { retry_after },
            ClientError::CircuitOpen { retry_after } => Verdict::Unavailable {
                retry_after: Some(retry_after),
            },
            ClientError::Overloaded
            | ClientError::DeadlineExceeded { .. }
            | ClientError::Unreachable { .. }
            | ClientError::Timeout
            | ClientError::Malformed(_) => Verdict::Unavailable { retry_after: None },
        }
    }

    /// Makes envelopes of rows. One that is no event of this release may be of the next, which is
    /// being rolled out: it is left alone, to be anybody's when the lease ends, and dies only when
    /// no relay has known it for so long.
    async fn wrap(&self, rows: Vec<waiting::Model>, pass: &mut Pass) -> Result<Vec<Parcel>, DbErr> {
        let roll_out_began = clock::now() - ROLL_OUT;
        let mut parcels = Vec::with_capacity(rows.len());
        for row in rows {
            if let Some(envelope) = envelope(&row) {
                parcels.push(Parcel { row, envelope });
            } else if row.occurred_at < roll_out_began {
                let reason = "not an event of this release".to_owned();
                self.bury(row, reason, pass).await?;
            }
        }
        Ok(parcels)
    }

    async fn bury(
        &self,
        row: waiting::Model,
        reason: String,
        pass: &mut Pass,
    ) -> Result<(), DbErr> {
        tracing::error!(
            event = "outbox.dead",
            event_id = row.event_id,
            kind = row.kind,
            peer = row.destination,
            reason,
            "an event was moved to outbox_dead"
        );
        store::bury(&self.database, row, reason, clock::now()).await?;
        self.metrics.dead();
        pass.dead += 1;
        Ok(())
    }
}

/// A refusal for what the events say. Every other one, whether of who asks, when, where or in what
/// form, would meet each event alike: it must pass, lest a proxy's mistake buries them all.
const fn is_about_content(status: u16) -> bool {
    matches!(status, 400 | 409 | 413 | 422)
}

fn envelope(row: &waiting::Model) -> Option<Envelope> {
    Some(Envelope {
        event_id: row.event_id.parse().ok()?,
        occurred_at: row.occurred_at,
        traceparent: row.traceparent.clone(),
        event: Event::deserialize(&row.payload).ok()?,
    })
}

/// A root: the work is the relay's own. Each event's trace is one link away, and the receiver
/// continues it from the envelope.
fn delivery_span(rows: &[waiting::Model]) -> Span {
    let span = tracing::info_span!(
        parent: None,
        "outbox.deliver",
        otel.name = "deliver events",
        otel.kind = "internal",
        lyceum.outbox.events = rows.len(),
    );
    for traceparent in rows.iter().filter_map(|row| row.traceparent.as_deref()) {
        context::link(&span, traceparent);
    }
    span
}

fn ids(part: &[Parcel]) -> impl Iterator<Item = i64> {
    part.iter().map(|parcel| parcel.row.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_of_what_is_said_are_held_against_an_event() {
        let content: Vec<u16> = (300..600).filter(|s| is_about_content(*s)).collect();
        assert_eq!(content, [400, 409, 413, 422]);
    }
}
