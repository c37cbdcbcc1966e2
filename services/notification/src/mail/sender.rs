//! One letter: whom to ask, what to write, whom to give it to, and what that led to.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::{Address, Message};
use lyceum_chassis::clock;
use lyceum_chassis::database::Database;
use lyceum_chassis::settings::SettingsError;
use lyceum_client::UserClient;
use lyceum_resilience::breaker::{Breaker, BreakerSettings, Verdict};
use lyceum_resilience::deadline::Instant;
use lyceum_telemetry::context;
use tokio::time::timeout;
use tracing::{Instrument, Span};

use super::commands::Mails;
use super::locale::Locale;
use super::message::{Cover, message};
use super::metrics::Metrics;
use super::parcel::{Parcel, Ready};
use super::report::{report, tell};
use super::settings::MailSettings;
use super::templates::{self, Reader};
use super::transport::{Failure, Transport};
use crate::entity::mail::Model;
use crate::schedule::{NOT_YET, Outcome};

/// When to look again for a user service that cannot be asked; up to twice that.
pub(super) const USERS_REST: Duration = Duration::from_secs(5);

/// Writes and sends the letters of one database. Clones are the same sender.
#[derive(Debug, Clone)]
pub(crate) struct Sender(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(super) database: Database,
    pub(super) users: UserClient,
    pub(super) mails: Mails,
    pub(super) settings: MailSettings,
    pub(super) metrics: Metrics,
    pub(super) breaker: Breaker,
    transport: Transport,
    from: Mailbox,
    locale: Locale,
}

impl Deref for Sender {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Sender {
    /// Prepares it; nothing is sent before [`Self::run`].
    ///
    /// # Errors
    /// Names the setting.
    pub(crate) fn new(
        database: Database,
        users: UserClient,
        settings: &MailSettings,
    ) -> Result<Self, SettingsError> {
        let breaker = BreakerSettings {
            // A mail server may take its time on purpose.
            slow_call_ms: 0,
            ..BreakerSettings::default()
        };
        let breaker = Breaker::new(&breaker, Instant::now(), fastrand::u64(..))
            .map_err(|error| SettingsError::refused("mail.transport", error.to_string()))?;
        Ok(Self(Arc::new(Parts {
            database,
            users,
            mails: Mails::new(settings)?,
            metrics: Metrics::new(),
            breaker: breaker.on_transition(tell),
            transport: Transport::open(settings)?,
            from: settings.sender()?,
            locale: settings.locale()?,
            settings: settings.clone(),
        })))
    }

    /// Where letters are caused.
    pub(crate) fn mails(&self) -> Mails {
        self.mails.clone()
    }

    /// Sends one letter, in a span of its own that links to what caused it.
    pub(super) async fn deliver(&self, parcel: &Parcel) -> Outcome {
        async {
            let outcome = match &parcel.ready {
                Ok(ready) => self.send(parcel, ready).await,
                Err(outcome) => outcome.clone(),
            };
            let template = parcel.ready.as_ref().map(Ready::template);
            let template = template.unwrap_or("unknown");
            for mail in parcel.all() {
                report(mail, &outcome);
                self.metrics.attempt(template, mail.attempts, &outcome);
            }
            outcome
        }
        .instrument(send_span(parcel))
        .await
    }

    async fn send(&self, parcel: &Parcel, ready: &Ready) -> Outcome {
        let message_id = self.message_id(parcel);
        match self.write(&parcel.mail, ready, &message_id).await {
            Ok(message) => self.hand_over(&parcel.mail, &message_id, &message).await,
            Err(outcome) => outcome,
        }
    }

    /// That of the letter; for several the same whenever they are the same.
    fn message_id(&self, parcel: &Parcel) -> String {
        if parcel.gathered.is_empty() {
            parcel.mail.message_id.clone()
        } else {
            self.mails.gathered_id(parcel.all())
        }
    }

    /// Finds out where the letter goes, and writes it.
    async fn write(
        &self,
        mail: &Model,
        ready: &Ready,
        message_id: &str,
    ) -> Result<Message, Outcome> {
        let Ready {
            content,
            gathered,
            contact,
            choices,
        } = ready;
        if choices.muted.contains(&content.topic()) {
            return Err(Outcome::Unwanted("muted".into()));
        }
        if let Some(wait) = choices.wait(content.topic(), mail.created_at, clock::now()) {
            return Err(Outcome::PutOff {
                cause: NOT_YET.into(),
                wait,
            });
        }
        let (to, name, links) = if let Some(link) = content.link() {
            let answer = self.users.mailed_link_token(link).await;
            let letter = answer.map_err(|_| Outcome::PutOff {
                cause: "user_unavailable".into(),
                wait: USERS_REST.mul_f64(1.0 + fastrand::f64()),
            })?;
            let letter = letter.ok_or_else(|| Outcome::Unwanted("link_spent".into()))?;
            let links = self.mails.urls().secret(content, &letter);
            (letter.to, letter.full_name, links)
        } else {
            let reader = contact
                .clone()
                .ok_or_else(|| Outcome::Unwanted("no_such_person".into()))?;
            let token = choices.unsubscribe_token.as_deref();
            let links = self.mails.urls().plain(content, gathered, token);
            (reader.email, reader.full_name, links)
        };
        let address: Address = to
            .parse()
            .map_err(|_| Outcome::Refused("malformed_address".into()))?;
        let locale = choices.locale.unwrap_or(self.locale);
        let reader = Reader {
            name: &name,
            locale,
        };
        let letter = if gathered.is_empty() {
            templates::write(content, reader, &links)
        } else {
            let urls = self.mails.urls();
            let all = std::iter::once(content).chain(gathered);
            let all = all.map(|content| (content, urls.action(content)));
            templates::gather(&all.collect::<Vec<_>>(), reader, &links)
        };
        let letter = letter.map_err(|e| unwritable(&e))?;
        let cover = Cover {
            from: self.from.clone(),
            to: address,
            name: &name,
            message_id,
            written_at: clock::now(),
            unsubscribe: links.unsubscribe.as_deref(),
        };
        message(cover, letter).map_err(|e| unwritable(&e))
    }

    /// Gives the letter to the server, if that is well and there is still time.
    async fn hand_over(&self, mail: &Model, message_id: &str, message: &Message) -> Outcome {
        let patience = self.settings.timeout();
        if clock::now() + patience > mail.due_at {
            // Whoever claims it next must not find it still on its way.
            return Outcome::PutOff {
                cause: "late".into(),
                wait: Duration::ZERO,
            };
        }
        let permit = match self.breaker.acquire(Instant::now()) {
            Ok(permit) => permit,
            Err(refused) => {
                return Outcome::PutOff {
                    cause: "breaker_open".into(),
                    wait: refused.retry_after,
                };
            }
        };
        let begun = Instant::now();
        let sent = timeout(patience, self.transport.send(name_of(message_id), message)).await;
        let sent = sent.unwrap_or_else(|_| Err(Failure::timeout()));
        let verdict = sent
            .as_ref()
            .map_or_else(|failure| failure.verdict, |()| Verdict::Success);
        permit.record(verdict, Instant::now());
        self.metrics.sent_within(begun.elapsed());
        sent.map_or_else(Outcome::from, |()| Outcome::Sent)
    }
}

/// A letter that is ours to mend.
fn unwritable(error: &(dyn std::error::Error + 'static)) -> Outcome {
    tracing::error!(
        event = "mail.unwritable",
        error,
        "a letter cannot be written"
    );
    Outcome::Refused("unwritable".into())
}

/// What tells a letter from every other, without the `<` and the domain of its `Message-ID`.
fn name_of(message_id: &str) -> &str {
    let id = message_id.trim_start_matches('<');
    id.split('@').next().unwrap_or(id)
}

fn send_span(parcel: &Parcel) -> Span {
    let mail = &parcel.mail;
    let span = tracing::info_span!(
        parent: None,
        "mail.send",
        otel.name = "send letter",
        otel.kind = "internal",
        lyceum.mail.id = mail.id.get(),
        lyceum.mail.template = mail.template,
    );
    for mail in parcel.all() {
        if let Some(traceparent) = &mail.traceparent {
            context::link(&span, traceparent);
        }
    }
    span
}
