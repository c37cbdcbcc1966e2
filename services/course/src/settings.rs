//! The service's own sections of the settings; `default.toml` explains each key.

use lyceum_chassis::idempotency::IdempotencySettings;
use lyceum_chassis::settings::{Environment, ServiceSettings, SettingsError};
use lyceum_client::UpstreamSettings;
use lyceum_outbox::OutboxSettings;
use serde::{Deserialize, Serialize};

/// Sections of the course service.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CourseSettings {
    /// The services this one calls.
    pub upstreams: Upstreams,
    /// How long the user service's answers are believed.
    pub people: PeopleSettings,
    /// How what happened is told.
    pub outbox: OutboxSettings,
    /// How keyed requests are remembered.
    pub idempotency: IdempotencySettings,
}

/// The services this one calls.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Upstreams {
    /// Knows who has an account, and the keys of access tokens.
    pub user: UpstreamSettings,
    /// Is told what happened.
    pub notification: UpstreamSettings,
}

/// How long the user service's answers are believed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleSettings {
    /// Milliseconds somebody who was found is taken to exist.
    pub known_for_ms: u64,
    /// The most people remembered at once.
    pub remembered: u64,
}

/// A closed account must lose its rights everywhere within this (milliseconds).
const KNOWN_FOR_MAX_MS: u64 = 60_000;

impl ServiceSettings for CourseSettings {
    fn check(&self, environment: Environment) -> Result<(), SettingsError> {
        if self.people.known_for_ms > KNOWN_FOR_MAX_MS {
            return Err(SettingsError::refused(
                "people.known_for_ms",
                format!(
                    "must not be above {KNOWN_FOR_MAX_MS}: a closed account loses its rights by then"
                ),
            ));
        }
        self.upstreams.user.check("user", environment.into())?;
        self.upstreams
            .notification
            .check("notification", environment.into())?;
        self.outbox.check()?;
        self.idempotency.check()
    }
}

#[cfg(test)]
mod tests {
    use lyceum_chassis::Service;
    use lyceum_chassis::settings::{Source, load};

    use super::*;
    use crate::App;

    fn with(variable: &str, value: &str) -> Result<(), String> {
        let source = Source {
            file: None,
            variables: vec![(variable.to_owned(), value.to_owned())],
        };
        let settings = load::<CourseSettings>(App::DEFAULTS, source);
        settings.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_load_and_what_cannot_be_names_its_key() {
        assert_eq!(with("HOME", "/root"), Ok(()));
        for (variable, value, key) in [
            (
                "LYCEUM__PEOPLE__KNOWN_FOR_MS",
                "60001",
                "people.known_for_ms",
            ),
            ("LYCEUM__PEOPLE__KNOWN_FOR", "1", "people.known_for"),
            ("LYCEUM__OUTBOX__BATCH", "0", "outbox.batch"),
            ("LYCEUM__IDEMPOTENCY__KEEP_S", "0", "idempotency.keep_s"),
            (
                "LYCEUM__UPSTREAMS__USER__ATTEMPTS",
                "many",
                "upstreams.user.attempts",
            ),
        ] {
            let refused = with(variable, value).unwrap_err();
            assert!(refused.contains(&format!("`{key}`")), "{refused}");
        }
    }

    #[test]
    fn faults_on_purpose_are_for_development_alone() {
        let fault = "LYCEUM__UPSTREAMS__USER__FAULTS__STATUS";
        assert_eq!(with(fault, "503"), Ok(()));
        let source = |variables: &[(&str, &str)]| Source {
            file: None,
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        };
        let production = source(&[
            ("LYCEUM__ENVIRONMENT", "production"),
            (
                "LYCEUM__SERVICE_AUTH__SECRETS",
                "0123456789abcdef0123456789abcdef",
            ),
            (fault, "503"),
        ]);
        let refused = load::<CourseSettings>(App::DEFAULTS, production).unwrap_err();
        assert!(
            refused
                .to_string()
                .contains("`upstreams.user.faults.status`"),
            "{refused}"
        );
    }
}
