//! The service's own sections of the settings. Defaults live in `default.toml`.

use std::time::Duration;

use lyceum_chassis::idempotency::IdempotencySettings;
use lyceum_chassis::settings::{Environment, Secret, ServiceSettings, SettingsError};
use lyceum_client::UpstreamSettings;
use lyceum_outbox::OutboxSettings;
use serde::{Deserialize, Serialize};

use crate::accounts::FirstAdmin;
use crate::announcements::AnnouncementSettings;
use crate::import::ImportSettings;
use crate::jobs::JobSettings;
use crate::keys::MasterKey;
use crate::limits::LimitsSettings;
use crate::sessions::Policy;

/// The signing key of a checkout; everybody knows it, so production refuses it.
pub const DEVELOPMENT_SIGNING_KEY: &str = "bHljZXVtLWRldmVsb3BtZW50LXNpZ25pbmcta2V5ISE=";
/// The first admin's password in a checkout; everybody knows it, so production refuses it.
pub const DEVELOPMENT_ADMIN_PASSWORD: &str = "lyceum-development-admin";
/// The password of everybody in the demo data, the stack's admin included: known as well.
const DEMO_PASSWORD: &str = "plato-olive-grove-387";

/// Most hashes at once that can be meant: 4 GiB of memory.
const MAX_CONCURRENCY: usize = 216;
/// Most waiting hashes that can be meant: minutes of work for any machine.
const MAX_QUEUE: usize = 100_000;

/// The sections of the user service.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UserSettings {
    /// How long deleted accounts stay.
    pub accounts: AccountSettings,
    /// How passwords are hashed.
    pub passwords: PasswordSettings,
    /// How tokens are signed and how long they last.
    pub tokens: TokenSettings,
    /// The first admin.
    pub admin: AdminSettings,
    /// How events leave.
    pub outbox: OutboxSettings,
    /// How keyed requests are remembered.
    pub idempotency: IdempotencySettings,
    /// How security events are kept.
    pub audit: AuditSettings,
    /// How often people may try.
    pub limits: LimitsSettings,
    /// How jobs are worked on.
    pub jobs: JobSettings,
    /// What an import may be.
    pub import: ImportSettings,
    /// How announcements reach everybody.
    pub announcements: AnnouncementSettings,
    /// Whom this service asks.
    pub upstreams: Upstreams,
}

/// How long deleted accounts stay.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSettings {
    /// How long the anonymous row of a deleted account stays, 60 s to ten years.
    pub erase_after_s: u64,
}

/// How passwords are hashed.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordSettings {
    /// Hashes computed at once; 0 means one per core.
    pub concurrency: usize,
    /// Hashes waiting for their turn; beyond that the answer is 503.
    pub queue: usize,
}

/// How security events are kept.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuditSettings {
    /// How long an event can be read, in days: 1 to 3650.
    pub keep_days: u32,
}

/// How tokens are signed and how long they last.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSettings {
    /// Ed25519 seed, 32 bytes in base64: the first key, from which later ones are derived.
    pub signing_key: Secret,
    /// How long an access token counts, 1 to 3600 s.
    pub access_lifetime_s: u64,
    /// How long a session lasts from its login, at least as long as an access token.
    pub session_lifetime_s: u64,
    /// For how long a spent refresh token may come back because its answer was lost, at most a
    /// minute; 0 means never.
    pub replay_grace_ms: u64,
    /// Live sessions one account may have, 1 to 1000; one more login ends the oldest.
    pub sessions_per_account: u64,
}

/// The first admin, made at the start when its address has no account.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    /// Its address; empty means there is none to make.
    pub email: String,
    /// Its password.
    pub password: Secret,
    /// Its name.
    pub full_name: String,
}

/// Whom this service asks.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Upstreams {
    /// The course service: courses and figures of an overview.
    pub course: UpstreamSettings,
    /// The notification service: unread counts, and where events go.
    pub notification: UpstreamSettings,
}

impl TokenSettings {
    /// How long an access token counts.
    pub(crate) const fn access_lifetime(&self) -> Duration {
        Duration::from_secs(self.access_lifetime_s)
    }

    /// How sessions are opened and go on.
    pub(crate) const fn policy(&self) -> Policy {
        Policy {
            lifetime: Duration::from_secs(self.session_lifetime_s),
            replay_grace: Duration::from_millis(self.replay_grace_ms),
            per_account: self.sessions_per_account,
        }
    }

    /// The first key that signs, from which the later ones are derived.
    pub(crate) fn key(&self) -> Result<MasterKey, SettingsError> {
        MasterKey::parse(self.signing_key.expose())
            .map_err(|error| SettingsError::refused("tokens.signing_key", error.to_string()))
    }

    fn check(&self) -> Result<(), SettingsError> {
        // Longer than an hour, and a demoted or deleted person keeps their role for too long.
        if !(1..=3_600).contains(&self.access_lifetime_s) {
            let reason = "must be between 1 and 3600";
            return Err(SettingsError::refused("tokens.access_lifetime_s", reason));
        }
        // A year bounds it so that adding it to any date stays a date.
        if !(self.access_lifetime_s..=31_536_000).contains(&self.session_lifetime_s) {
            let reason = "must be between tokens.access_lifetime_s and 31536000";
            return Err(SettingsError::refused("tokens.session_lifetime_s", reason));
        }
        // A thief has as long to hide as an honest client to ask again.
        if self.replay_grace_ms > 60_000 {
            let reason = "must be between 0 and 60000";
            return Err(SettingsError::refused("tokens.replay_grace_ms", reason));
        }
        if !(1..=1_000).contains(&self.sessions_per_account) {
            let reason = "must be between 1 and 1000";
            return Err(SettingsError::refused(
                "tokens.sessions_per_account",
                reason,
            ));
        }
        self.key().map(drop)
    }
}

impl AuditSettings {
    pub(crate) const fn keep(self) -> Duration {
        Duration::from_hours(24 * self.keep_days as u64)
    }

    fn check(self) -> Result<(), SettingsError> {
        // A day to look at what happened, and not for ever: ids are personal data too.
        if (1..=3_650).contains(&self.keep_days) {
            return Ok(());
        }
        let reason = "must be between 1 and 3650";
        Err(SettingsError::refused("audit.keep_days", reason))
    }
}

impl AccountSettings {
    /// How long the row of a deleted account stays.
    pub(crate) const fn erase_after(&self) -> Duration {
        Duration::from_secs(self.erase_after_s)
    }

    fn check(&self) -> Result<(), SettingsError> {
        // The other services have to hear of a deletion before nobody can say when it was.
        if !(60..=315_360_000).contains(&self.erase_after_s) {
            let reason = "must be between 60 and 315360000";
            return Err(SettingsError::refused("accounts.erase_after_s", reason));
        }
        Ok(())
    }
}

impl PasswordSettings {
    fn check(&self) -> Result<(), SettingsError> {
        if self.concurrency > MAX_CONCURRENCY {
            let reason = format!("must be between 0 and {MAX_CONCURRENCY}");
            return Err(SettingsError::refused("passwords.concurrency", reason));
        }
        if self.queue > MAX_QUEUE {
            let reason = format!("must be between 0 and {MAX_QUEUE}");
            return Err(SettingsError::refused("passwords.queue", reason));
        }
        Ok(())
    }
}

impl UserSettings {
    fn refuse_development_secrets(&self) -> Result<(), SettingsError> {
        let known = [
            (
                "tokens.signing_key",
                &self.tokens.signing_key,
                &[DEVELOPMENT_SIGNING_KEY][..],
            ),
            (
                "admin.password",
                &self.admin.password,
                &[DEVELOPMENT_ADMIN_PASSWORD, DEMO_PASSWORD],
            ),
        ];
        for (key, secret, development) in known {
            // A password for no account protects nothing.
            let unused = key == "admin.password" && self.admin.email.is_empty();
            if development.contains(&secret.expose()) && !unused {
                let reason = "holds the development secret, which production refuses";
                return Err(SettingsError::refused(key, reason));
            }
        }
        Ok(())
    }
}

impl ServiceSettings for UserSettings {
    fn check(&self, environment: Environment) -> Result<(), SettingsError> {
        self.accounts.check()?;
        self.passwords.check()?;
        self.audit.check()?;
        self.limits.check()?;
        self.tokens.check()?;
        self.outbox.check()?;
        self.idempotency.check()?;
        self.jobs.check()?;
        self.import.check()?;
        self.announcements.check()?;
        self.upstreams.course.check("course", environment.into())?;
        self.upstreams
            .notification
            .check("notification", environment.into())?;
        FirstAdmin::parse(&self.admin)?;
        match environment {
            Environment::Development => Ok(()),
            Environment::Production => self.refuse_development_secrets(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lyceum_chassis::settings::{Settings, Source, load};

    fn loaded(variables: &[(&str, &str)]) -> Result<Settings<UserSettings>, String> {
        let variables = variables
            .iter()
            .map(|(key, value)| (format!("LYCEUM__{key}"), (*value).to_owned()));
        let source = Source {
            file: None,
            variables: variables.collect(),
        };
        load(include_str!("../default.toml"), source).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_first_admin_its_password_does_not_matter_in_production() {
        let production = [
            ("ENVIRONMENT", "production"),
            ("SERVICE_AUTH__SECRETS", "0123456789abcdef0123456789abcdef"),
            (
                "TOKENS__SIGNING_KEY",
                "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            ),
        ];
        let refused = loaded(&production).unwrap_err();
        assert!(refused.contains("`admin.password`"), "{refused}");
        let without = [&production[..], &[("ADMIN__EMAIL", "")]].concat();
        assert!(loaded(&without).is_ok());
    }

    #[test]
    fn the_defaults_are_whole_and_printed_without_secrets() {
        let settings = loaded(&[]).unwrap();
        assert_eq!(settings.platform.http.port, 8001);
        let printed = format!("{:?}", settings.service);
        assert!(!printed.contains(DEVELOPMENT_SIGNING_KEY), "{printed}");
        assert!(!printed.contains(DEVELOPMENT_ADMIN_PASSWORD), "{printed}");
    }

    #[test]
    fn production_refuses_development_secrets_and_faults_by_their_keys() {
        let production = ("ENVIRONMENT", "production");
        let service = (
            "SERVICE_AUTH__SECRETS",
            "a-secret-of-our-own-that-is-long-enough",
        );
        let key = (
            "TOKENS__SIGNING_KEY",
            "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=",
        );
        let admin = |password| ("ADMIN__PASSWORD", password);
        let refusal = |variables: &[_]| loaded(variables).unwrap_err();
        assert!(refusal(&[production, service]).contains("`tokens.signing_key`"));
        assert!(refusal(&[production, service, key]).contains("`admin.password`"));
        for known in [DEVELOPMENT_ADMIN_PASSWORD, DEMO_PASSWORD] {
            let refused = refusal(&[production, service, key, admin(known)]);
            assert!(refused.contains("`admin.password`"), "{refused}");
            assert!(!refused.contains(known), "{refused}");
        }
        let own = [production, service, key, admin("a password of our own")];
        assert!(loaded(&own).is_ok());
        let fault = ("UPSTREAMS__COURSE__FAULTS__STATUS", "503");
        assert!(loaded(&[fault]).is_ok());
        let refused = refusal(&[&own[..], &[fault]].concat());
        assert!(
            refused.contains("`upstreams.course.faults.status`"),
            "{refused}"
        );
    }

    #[test]
    fn a_value_that_cannot_be_is_named() {
        for (key, value, name) in [
            ("TOKENS__SIGNING_KEY", "c2hvcnQ=", "tokens.signing_key"),
            ("TOKENS__ACCESS_LIFETIME_S", "0", "tokens.access_lifetime_s"),
            (
                "TOKENS__SESSION_LIFETIME_S",
                "60",
                "tokens.session_lifetime_s",
            ),
            ("TOKENS__REPLAY_GRACE_MS", "60001", "tokens.replay_grace_ms"),
            (
                "TOKENS__SESSIONS_PER_ACCOUNT",
                "0",
                "tokens.sessions_per_account",
            ),
            ("ACCOUNTS__ERASE_AFTER_S", "59", "accounts.erase_after_s"),
            ("PASSWORDS__CONCURRENCY", "217", "passwords.concurrency"),
            ("PASSWORDS__QUEUE", "100001", "passwords.queue"),
            ("AUDIT__KEEP_DAYS", "0", "audit.keep_days"),
            (
                "LIMITS__LOGIN_PER_ADDRESS__QUOTA",
                "0",
                "limits.login_per_address.quota",
            ),
            ("AUDIT__KEEP_DAYS", "3651", "audit.keep_days"),
            ("ADMIN__EMAIL", "nobody", "admin.email"),
            ("ADMIN__PASSWORD", "password1", "admin.password"),
            ("ADMIN__FULL_NAME", " ", "admin.full_name"),
            ("ADMIN__ROLE", "student", "admin.role"),
            ("JOBS__LEASE_MS", "0", "jobs.lease_ms"),
            ("JOBS__CONCURRENCY", "17", "jobs.concurrency"),
            ("JOBS__ATTEMPTS", "0", "jobs.attempts"),
            ("IMPORT__MAX_LINES", "0", "import.max_lines"),
            ("ANNOUNCEMENTS__AT_ONCE", "0", "announcements.at_once"),
        ] {
            let refusal = loaded(&[(key, value)]).unwrap_err();
            assert!(refusal.contains(&format!("`{name}`")), "{refusal}");
        }
    }

    #[test]
    fn without_an_address_there_is_no_first_admin_to_check() {
        assert!(loaded(&[("ADMIN__EMAIL", ""), ("ADMIN__PASSWORD", "")]).is_ok());
    }
}
