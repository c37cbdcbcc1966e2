//! What is said of messages in the log: ids, a word, a host. No line holds an address whole, whose
//! path may be a secret, nor what was sent, nor what was answered but its status.

use lyceum_contracts::webhook::DisabledBecause;
use lyceum_resilience::breaker::{State, Transition};

use crate::entity::webhook_delivery::Model;
use crate::schedule::Outcome;

/// One line per message and attempt.
pub(super) fn report(message: &Model, outcome: &Outcome) {
    let (id, webhook) = (message.id.get(), message.webhook_id.get());
    let (kind, attempt) = (message.event.as_str(), message.attempts + 1);
    match outcome {
        Outcome::Sent => tracing::info!(
            event = "webhook.sent",
            webhook.id = webhook,
            delivery.id = id,
            kind,
            attempt,
            "a message was accepted"
        ),
        Outcome::Failed(cause) if !outcome.is_fatal(message.attempts) => tracing::warn!(
            event = "webhook.failed",
            webhook.id = webhook,
            delivery.id = id,
            kind,
            attempt,
            cause = cause.as_str(),
            "a message was not accepted; it is tried again"
        ),
        Outcome::Failed(cause) | Outcome::Refused(cause) => tracing::warn!(
            event = "webhook.dead",
            webhook.id = webhook,
            delivery.id = id,
            kind,
            attempt,
            cause = cause.as_str(),
            "a message is dead"
        ),
        Outcome::Unwanted(cause) | Outcome::PutOff { cause, .. } => tracing::debug!(
            event = "webhook.not_sent",
            webhook.id = webhook,
            delivery.id = id,
            kind,
            cause = cause.as_str(),
            "a message is not sent now"
        ),
    }
}

/// A receiver is sent nothing any more.
pub(super) fn disabled(message: &Model, because: DisabledBecause) {
    tracing::warn!(
        event = "webhook.disabled",
        webhook.id = message.webhook_id.get(),
        reason = because.as_str(),
        "a webhook is disabled; an admin may enable it again"
    );
}

/// Says when a host is left alone, and when it is asked again.
pub(super) fn tell(authority: &str, transition: Transition) {
    match transition.to {
        State::Open => tracing::warn!(
            event = "webhook.target_unavailable",
            server.address = authority,
            open_ms = u64::try_from(transition.open_for.as_millis()).unwrap_or(u64::MAX),
            "a host is left alone; messages to it wait"
        ),
        State::Closed => tracing::info!(
            event = "webhook.target_recovered",
            server.address = authority,
            "a host takes messages again"
        ),
        State::HalfOpen => {}
    }
}
