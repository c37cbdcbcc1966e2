//! What is said of letters in the log. No line holds a name, an address or a server's own words.

use lyceum_resilience::breaker::{State, Transition};

use crate::entity::mail::Model;
use crate::schedule::Outcome;

/// One line per letter and attempt: an id, a template, a word.
pub(super) fn report(mail: &Model, outcome: &Outcome) {
    let (id, template, attempt) = (mail.id.get(), mail.template.as_str(), mail.attempts + 1);
    match outcome {
        Outcome::Sent => tracing::info!(
            event = "mail.sent",
            mail.id = id,
            template,
            attempt,
            "a letter was accepted"
        ),
        Outcome::Failed(cause) | Outcome::Refused(cause) if outcome.is_fatal(mail.attempts) => {
            tracing::error!(
                event = "mail.dead",
                mail.id = id,
                template,
                attempt,
                cause = cause.as_str(),
                "a letter is dead"
            );
        }
        Outcome::Failed(cause) | Outcome::Refused(cause) => tracing::warn!(
            event = "mail.failed",
            mail.id = id,
            template,
            attempt,
            cause = cause.as_str(),
            "a letter was not accepted; it is tried again"
        ),
        Outcome::Unwanted(cause) => tracing::info!(
            event = "mail.unwanted",
            mail.id = id,
            template,
            cause = cause.as_str(),
            "a letter is not sent"
        ),
        Outcome::PutOff { cause, .. } => tracing::debug!(
            event = "mail.put_off",
            mail.id = id,
            template,
            cause = cause.as_str(),
            "a letter waits"
        ),
    }
}

/// Says when the mail server is left alone, and when it is asked again.
pub(super) fn tell(transition: Transition) {
    match transition.to {
        State::Open => tracing::warn!(
            event = "mail.server_unavailable",
            open_ms = u64::try_from(transition.open_for.as_millis()).unwrap_or(u64::MAX),
            "the mail server is left alone; letters wait"
        ),
        State::Closed => tracing::info!(
            event = "mail.server_recovered",
            "the mail server takes letters again"
        ),
        State::HalfOpen => {}
    }
}
