//! The `mail` section of the settings.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::Mailbox;
use lyceum_chassis::settings::{Environment, Secret, SettingsError};
use serde::{Deserialize, Serialize};

use super::locale::Locale;

/// How letters are written and sent; `default.toml` explains each key.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MailSettings {
    /// Send from this process.
    pub run: bool,
    /// How a letter leaves.
    pub transport: TransportKind,
    /// Where letters are put that leave as files.
    pub folder: PathBuf,
    /// Who writes.
    pub from: String,
    /// The language of letters to whoever has not chosen one.
    pub locale: String,
    /// The page people use, without a slash at its end.
    pub page_url: String,
    /// This service as people reach it, without a slash at its end.
    pub api_url: String,
    /// Letters on their way at once, 1 to 100.
    pub concurrency: usize,
    /// Letters claimed at once, 1 to 200.
    pub batch: u64,
    /// How often to look for letters when nobody tells of one, 1 ms to a day.
    pub poll_ms: u64,
    /// How long a claimed letter is nobody else's, 1 ms to a day.
    pub lease_ms: u64,
    /// How long sending one letter may take, 1 ms to `lease_ms`.
    pub timeout_ms: u64,
    /// How long a letter that has come to its end can be looked up, 1 to 3650 days.
    pub keep_days: u64,
    /// The mail server.
    pub smtp: SmtpSettings,
}

/// How a letter leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// As an `.eml` file in a folder.
    Files,
    /// To a mail server.
    Smtp,
}

/// The mail server.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpSettings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept secret.
    pub security: Security,
    /// Who signs in; nobody, when it is empty.
    pub username: String,
    /// The password of `username`.
    pub password: Secret,
}

/// How a connection to the mail server is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Not at all: for a server on the same machine.
    None,
    /// TLS after `STARTTLS`, and nothing is sent without it.
    Starttls,
    /// TLS from the first byte.
    Tls,
}

impl MailSettings {
    /// Refuses what cannot work; names the key.
    pub(crate) fn check(&self, environment: Environment) -> Result<(), SettingsError> {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        let limits = [
            ("mail.concurrency", self.concurrency as u64, 1..=100),
            ("mail.batch", self.batch, 1..=200),
            ("mail.poll_ms", self.poll_ms, 1..=DAY_MS),
            ("mail.lease_ms", self.lease_ms, 1..=DAY_MS),
            ("mail.timeout_ms", self.timeout_ms, 1..=self.lease_ms),
            ("mail.keep_days", self.keep_days, 1..=3650),
        ];
        for (key, value, range) in limits {
            if !range.contains(&value) {
                let (least, most) = range.into_inner();
                let rule = format!("must be between {least} and {most}");
                return Err(SettingsError::refused(key, rule));
            }
        }
        self.sender()?;
        self.locale()?;
        for (key, url) in [
            ("mail.page_url", &self.page_url),
            ("mail.api_url", &self.api_url),
        ] {
            let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
            let plain = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic());
            if !rest.is_some_and(plain) || url.ends_with('/') || url.contains(['?', '#', '<', '>'])
            {
                let rule =
                    "must be a URL such as https://lyceum.example, without a slash at its end";
                return Err(SettingsError::refused(key, rule));
            }
        }
        if self.smtp.host.is_empty() {
            return Err(SettingsError::refused(
                "mail.smtp.host",
                "must not be empty",
            ));
        }
        if self.smtp.port == 0 {
            return Err(SettingsError::refused("mail.smtp.port", "must be above 0"));
        }
        if environment == Environment::Production && self.transport == TransportKind::Files {
            // What opens an account would lie about in a folder.
            let rule = "must be smtp in production: letters hold the tokens of links";
            return Err(SettingsError::refused("mail.transport", rule));
        }
        Ok(())
    }

    /// Who writes.
    pub(super) fn sender(&self) -> Result<Mailbox, SettingsError> {
        let rule = "must be an address such as Lyceum <no-reply@lyceum.example>";
        self.from
            .parse()
            .map_err(|_| SettingsError::refused("mail.from", rule))
    }

    /// The language of letters to whoever has not chosen one.
    pub(super) fn locale(&self) -> Result<Locale, SettingsError> {
        Locale::named(&self.locale)
            .ok_or_else(|| SettingsError::refused("mail.locale", "must be en or de"))
    }

    pub(super) const fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }

    pub(super) const fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    pub(super) const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(super) const fn keep(&self) -> Duration {
        Duration::from_hours(24 * self.keep_days)
    }
}
