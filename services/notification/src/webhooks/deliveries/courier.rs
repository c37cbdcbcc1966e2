//! One message: what is signed, where it goes, and what that led to.

use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use lyceum_chassis::clock;
use lyceum_chassis::database::Database;
use lyceum_client::outside::{Outside, Target, Unanswered};
use lyceum_contracts::webhook::header as names;
use lyceum_resilience::breaker::{Breaker, Verdict};
use lyceum_resilience::deadline::Instant;
use lyceum_telemetry::context;
use time::OffsetDateTime;
use tracing::{Instrument, Span};

use super::metrics::Metrics;
use super::report::report;
use crate::entity::webhook::Model as Receiver;
use crate::entity::webhook_delivery::Model;
use crate::schedule::{self, Cause, Outcome};
use crate::webhooks::commands::Webhooks;
use crate::webhooks::domain::{Attempt, judge};
use crate::webhooks::secret::signatures;
use crate::webhooks::settings::WebhooksSettings;

/// Sends the messages of one database. Clones are the same courier.
#[derive(Debug, Clone)]
pub(crate) struct Courier(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(super) database: Database,
    pub(super) webhooks: Webhooks,
    pub(super) settings: WebhooksSettings,
    pub(super) metrics: Metrics,
    outside: Outside,
}

/// A message that has been claimed, with what it takes to send it.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) receiver: Receiver,
    pub(super) message: Model,
    /// Who is at the other end: what its place is counted by.
    pub(super) authority: String,
    /// Of the other end.
    pub(super) breaker: Option<Arc<Breaker>>,
}

impl Deref for Courier {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Courier {
    /// Prepares it; nothing is sent before [`Self::run`]. `service` is who sends.
    pub(crate) fn new(
        database: Database,
        service: &'static str,
        settings: &WebhooksSettings,
    ) -> Self {
        Self(Arc::new(Parts {
            database,
            webhooks: Webhooks::new(settings),
            metrics: Metrics::new(),
            outside: Outside::new(service, settings.reach(), settings.timeout()),
            settings: settings.clone(),
        }))
    }

    /// Where messages are caused.
    pub(crate) fn webhooks(&self) -> Webhooks {
        self.webhooks.clone()
    }

    /// Sends one message, in a span of its own that links to what caused it.
    pub(super) async fn deliver(&self, claim: &Claim) -> Attempt {
        let span = span(claim);
        async {
            let attempt = self.attempt(claim).await.unwrap_or_else(Attempt::from);
            report(&claim.message, &attempt.outcome);
            self.metrics
                .attempt(claim.message.attempts, &attempt.outcome);
            let span = Span::current();
            if let Some(status) = attempt.status {
                span.record("http.response.status_code", status);
            }
            if let Outcome::Failed(cause) | Outcome::Refused(cause) = &attempt.outcome {
                span.record("error.type", cause.as_str());
            }
            attempt
        }
        .instrument(span)
        .await
    }

    /// What came of it, or why nothing was sent.
    async fn attempt(&self, claim: &Claim) -> Result<Attempt, Outcome> {
        let Claim {
            receiver, message, ..
        } = claim;
        if receiver.disabled_because.is_some() {
            return Err(Outcome::Unwanted("disabled".into()));
        }
        if schedule::is_exhausted(message.attempts) {
            // Nobody came back from the last claims to say what went wrong.
            return Err(Outcome::Refused("lease_ended".into()));
        }
        let target = Target::parse(&receiver.url, self.settings.reach())
            .map_err(|unfit| Outcome::Refused(unfit.code().into()))?;
        let headers = headers(receiver, message, clock::now())
            .ok_or_else(|| Outcome::Refused("unsignable".into()))?;
        let permit = match &claim.breaker {
            Some(breaker) => {
                Some(
                    breaker
                        .acquire(Instant::now())
                        .map_err(|refused| Outcome::PutOff {
                            cause: "breaker_open".into(),
                            wait: refused.retry_after,
                        })?,
                )
            }
            None => None,
        };
        let begun = Instant::now();
        let body = Bytes::from(message.body.clone());
        let answer = self.outside.post(&target, headers, body).await;
        self.metrics.answered_within(begun.elapsed());
        let (attempt, verdict) = match answer {
            Ok(answered) => {
                let attempt = Attempt {
                    outcome: judge(answered.status),
                    status: Some(answered.status),
                    retry_after: answered.retry_after,
                };
                (attempt, verdict(answered.status))
            }
            // Of whoever is there nothing was learned.
            Err(Unanswered::Private) => {
                return Err(Outcome::Refused(Unanswered::Private.reason().into()));
            }
            Err(unanswered) => {
                let cause = Cause::from(unanswered.reason());
                (Outcome::Failed(cause).into(), Verdict::Failure)
            }
        };
        if let Some(permit) = permit {
            permit.record(verdict, Instant::now());
        }
        Ok(attempt)
    }
}

/// What an answer says of the host: one that answers works, whatever it thinks of the message.
const fn verdict(status: u16) -> Verdict {
    match status {
        429 => Verdict::Throttled,
        500.. => Verdict::Failure,
        _ => Verdict::Success,
    }
}

/// The headers of a message that is sent now. `None` when it cannot be signed.
fn headers(receiver: &Receiver, message: &Model, now: OffsetDateTime) -> Option<HeaderMap> {
    let is_counted = receiver.old_secret_until.is_some_and(|until| now < until);
    let old = receiver.old_secret.as_ref().filter(|_| is_counted);
    let secrets = std::iter::once(&receiver.secret).chain(old);
    let signed = signatures(secrets, &message.message_id, now, &message.body)?;
    let mut headers =
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    for (name, value) in [
        (names::ID, message.message_id.clone()),
        (names::TIMESTAMP, now.unix_timestamp().to_string()),
        (names::SIGNATURE, signed),
    ] {
        headers.insert(HeaderName::from_static(name), value.parse().ok()?);
    }
    Some(headers)
}

fn span(claim: &Claim) -> Span {
    let message = &claim.message;
    let span = tracing::info_span!(
        parent: None,
        "webhook.send",
        otel.name = "send webhook",
        otel.kind = "internal",
        lyceum.webhook.id = message.webhook_id.get(),
        lyceum.webhook.delivery_id = message.id.get(),
        lyceum.event.type = message.event,
        server.address = claim.authority,
        http.response.status_code = tracing::field::Empty,
        error.type = tracing::field::Empty,
    );
    if let Some(traceparent) = &message.traceparent {
        context::link(&span, traceparent);
    }
    span
}
