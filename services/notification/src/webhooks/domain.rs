//! What is said to receivers, and what becomes of one after an attempt. Pure.

use std::time::Duration;

use lyceum_contracts::event::Envelope;
use lyceum_contracts::webhook::{DisabledBecause, EventKind, Message};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::schedule::Outcome;

/// The status by which a receiver says that it wants nothing any more (Standard Webhooks).
const GONE: u16 = 410;

/// What stands in `webhook-id`. It has no full stop, which would blur what is signed.
pub(super) fn message_id(event_id: Uuid) -> String {
    format!("msg_{}", event_id.simple())
}

/// The body of a message: made once, so that it is signed and sent byte for byte the same.
pub(super) fn body(kind: EventKind, envelope: &Envelope) -> serde_json::Result<String> {
    let told = serde_json::to_value(&envelope.event)?;
    serde_json::to_string(&Message {
        r#type: kind,
        timestamp: envelope.occurred_at,
        data: told.get("data").cloned().unwrap_or_else(|| json!({})),
    })
}

/// Kinds as they are kept.
pub(super) fn kept(kinds: &[EventKind]) -> Value {
    kinds.iter().map(|kind| kind.as_str()).collect()
}

/// Kinds as they were kept, without those of another release.
pub(crate) fn kinds(kept: &Value) -> Vec<EventKind> {
    let names = kept.as_array().into_iter().flatten();
    names
        .filter_map(|name| name.as_str()?.parse().ok())
        .collect()
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) outcome: Outcome,
    /// HTTP status, if there was an answer.
    pub(super) status: Option<u16>,
    /// For how long the receiver wants to be left alone.
    pub(super) retry_after: Option<Duration>,
}

impl From<Outcome> for Attempt {
    /// Without an answer.
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            status: None,
            retry_after: None,
        }
    }
}

/// What an attempt means for the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing.
    Unchanged,
    /// It takes messages again.
    Recovered,
    /// From now on it fails.
    Failing,
    /// It is sent nothing any more.
    Disable(DisabledBecause),
}

/// What it means for a receiver where everything has failed since `failing_since`.
pub(super) fn health(
    attempt: &Attempt,
    failing_since: Option<OffsetDateTime>,
    now: OffsetDateTime,
    disable_after: Duration,
) -> Health {
    match (&attempt.outcome, failing_since) {
        (Outcome::Failed(_) | Outcome::Refused(_), _) if attempt.status == Some(GONE) => {
            Health::Disable(DisabledBecause::Gone)
        }
        (Outcome::Failed(_) | Outcome::Refused(_), Some(since)) if now - since >= disable_after => {
            Health::Disable(DisabledBecause::Failing)
        }
        (Outcome::Failed(_) | Outcome::Refused(_), None) => Health::Failing,
        (Outcome::Sent, Some(_)) => Health::Recovered,
        _ => Health::Unchanged,
    }
}

/// What an answer says of the message.
pub(super) fn judge(status: u16) -> Outcome {
    let cause = crate::schedule::Cause::status(status);
    match status {
        200..300 => Outcome::Sent,
        GONE => Outcome::Refused(cause),
        _ => Outcome::Failed(cause),
    }
}

#[cfg(test)]
mod tests {
    use lyceum_contracts::event::Event;
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-06 00:00 UTC);
    const FIVE_DAYS: Duration = Duration::from_hours(5 * 24);

    fn after(status: u16, failing_since: Option<OffsetDateTime>) -> Health {
        let attempt = Attempt {
            outcome: judge(status),
            status: Some(status),
            retry_after: None,
        };
        health(&attempt, failing_since, NOW, FIVE_DAYS)
    }

    #[test]
    fn a_message_says_what_happened_and_when_and_reads_the_same_each_time() {
        let envelope = Envelope {
            event_id: Uuid::nil(),
            occurred_at: NOW,
            traceparent: None,
            event: Event::UserDeleted {
                user_id: 7.try_into().unwrap(),
            },
        };
        let body = body(EventKind::UserDeleted, &envelope).unwrap();
        let right =
            r#"{"type":"user.deleted","timestamp":"2026-01-06T00:00:00Z","data":{"user_id":7}}"#;
        assert_eq!(body, right);
        assert!(!message_id(envelope.event_id).contains('.'));
    }

    #[test]
    fn kinds_are_kept_by_name_and_those_nobody_knows_are_left_out() {
        let kept = kept(EventKind::ALL);
        assert_eq!(kinds(&kept), EventKind::ALL);
        let mixed = json!(["lesson.completed", "user.deleted", 3]);
        assert_eq!(kinds(&mixed), [EventKind::UserDeleted]);
    }

    #[test]
    fn only_success_is_success() {
        for status in [200, 202, 204, 299] {
            assert_eq!(judge(status), Outcome::Sent);
        }
        for status in [199, 302, 307, 404, 429, 500, 503] {
            assert!(matches!(judge(status), Outcome::Failed(_)), "{status}");
        }
        assert!(matches!(judge(410), Outcome::Refused(_)));
    }

    #[test]
    fn a_receiver_is_disabled_when_it_is_gone_or_has_failed_for_too_long() {
        let long_ago = Some(NOW - FIVE_DAYS);
        let recently = Some(NOW - FIVE_DAYS + Duration::from_secs(1));
        assert_eq!(after(410, None), Health::Disable(DisabledBecause::Gone));
        assert_eq!(after(500, None), Health::Failing);
        assert_eq!(after(500, recently), Health::Unchanged);
        assert_eq!(
            after(500, long_ago),
            Health::Disable(DisabledBecause::Failing)
        );
        assert_eq!(after(200, long_ago), Health::Recovered);
        assert_eq!(after(200, None), Health::Unchanged);
        let put_off = Outcome::PutOff {
            cause: "breaker_open".into(),
            wait: Duration::ZERO,
        };
        let spared = health(&put_off.into(), long_ago, NOW, FIVE_DAYS);
        assert_eq!(spared, Health::Unchanged, "nothing was tried");
    }
}
