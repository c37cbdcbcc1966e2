//! Settings every service has, and how all settings are read.
//!
//! One flat tree: `default.toml` of the chassis ← `default.toml` of the service (both embedded) ←
//! an optional file ← `LYCEUM__SECTION__KEY` variables, or files that `LYCEUM__SECTION__KEY_FILE`
//! variables name. A key nobody knows, or a value that does not fit, stops the start with a
//! message that names the key. Sections of the platform are typed here; every other section
//! belongs to the service.

mod load;
mod secret;
#[cfg(test)]
mod tests;
mod variables;

use std::net::IpAddr;
use std::time::Duration;

use lyceum_client::faults::FaultInjection;
use lyceum_client::{Identity, ServiceAuthSettings};
use lyceum_telemetry::TelemetrySettings;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

pub use self::load::{SettingsError, Source, load};
pub use self::secret::Secret;
use crate::auth::AuthSettings;
use crate::database::DatabaseSettings;
use crate::http::origin_authority;
use crate::limits::TrustedProxies;

/// The embedded defaults of the sections below.
pub(crate) const PLATFORM_DEFAULTS: &str = include_str!("../../default.toml");

/// The service secret of a checkout; everybody knows it, so production refuses it.
pub const DEVELOPMENT_SERVICE_SECRET: &str = "lyceum-development-service-secret";

/// All settings of a service `S` being its own sections.
#[derive(Debug, Clone)]
pub struct Settings<S> {
    /// Sections every service has.
    pub platform: PlatformSettings,
    /// Sections of this service.
    pub service: S,
}

/// A service's own sections.
pub trait ServiceSettings:
    serde::de::DeserializeOwned + Serialize + Clone + Send + 'static
{
    /// Refuses values that fit their types and still cannot be, development secrets in
    /// production among them. The error names the key.
    fn check(&self, environment: Environment) -> Result<(), SettingsError>;
}

/// Sections every service has.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformSettings {
    /// Where this process runs.
    pub environment: Environment,
    /// The listener for callers.
    pub http: HttpSettings,
    /// The listener for operators.
    pub operations: OperationsSettings,
    /// How the process ends.
    pub lifecycle: LifecycleSettings,
    /// The service's own database.
    pub database: DatabaseSettings,
    /// Traces, metrics and logs.
    pub telemetry: TelemetrySettings,
    /// How people are known again.
    pub auth: AuthSettings,
    /// How services know one another.
    pub service_auth: ServiceAuthSettings,
}

impl PlatformSettings {
    /// Root keys that belong here; all others belong to the service.
    pub(crate) const KEYS: [&'static str; 8] = [
        "environment",
        "http",
        "operations",
        "lifecycle",
        "database",
        "telemetry",
        "auth",
        "service_auth",
    ];

    fn check(&self) -> Result<(), SettingsError> {
        let refuse = |key, reason| Err(SettingsError::refused(key, reason));
        if self.http.request_timeout_ms == 0 {
            return refuse("http.request_timeout_ms", "must be above 0");
        }
        if self.http.head_timeout_ms == 0 {
            return refuse("http.head_timeout_ms", "must be above 0");
        }
        if self.http.body_limit_bytes == 0 {
            return refuse("http.body_limit_bytes", "must be above 0");
        }
        let mut origins = self.http.allowed_origins.iter();
        if !origins.all(|origin| origin_authority(origin).is_some()) {
            let rule = "must be origins, such as https://app.example.org";
            return refuse("http.allowed_origins", rule);
        }
        if self.lifecycle.drain_delay_ms >= self.lifecycle.grace_ms {
            return refuse(
                "lifecycle.drain_delay_ms",
                "must be below lifecycle.grace_ms",
            );
        }
        self.database.check()?;
        self.telemetry.check()?;
        Identity::new("settings", &self.service_auth)?;
        let mut secrets = self.service_auth.secrets.iter();
        let well_known = secrets.any(|secret| secret.expose_secret() == DEVELOPMENT_SERVICE_SECRET);
        if self.environment == Environment::Production && well_known {
            let reason = "holds the development secret, which production refuses";
            return refuse("service_auth.secrets", reason);
        }
        Ok(())
    }
}

/// Where a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A laptop or a test: well-known secrets are welcome.
    Development,
    /// Anything people depend on: well-known secrets are refused.
    Production,
}

impl Environment {
    /// The word in settings and in `deployment.environment.name`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// Faults on purpose are for where nobody depends on the answer.
impl From<Environment> for FaultInjection {
    fn from(environment: Environment) -> Self {
        match environment {
            Environment::Development => Self::Allowed,
            Environment::Production => Self::Refused,
        }
    }
}

/// The listener for callers.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port; 0 lets the system choose.
    pub port: u16,
    /// Worker threads; 0 means one per core.
    pub workers: usize,
    /// A request that takes longer is answered 408 and its work dropped (the guide: 30 s).
    pub request_timeout_ms: u64,
    /// A connection that has not sent a whole head by then is closed.
    pub head_timeout_ms: u64,
    /// An idle connection is closed after this; peers keep theirs for a shorter time.
    pub keep_alive_ms: u64,
    /// A connection whose peer takes nothing of what was sent to it is given up after this; 0
    /// leaves it to the system.
    pub unread_timeout_ms: u32,
    /// A larger body is answered 413.
    pub body_limit_bytes: usize,
    /// Proxies whose `X-Forwarded-For` is believed; anybody else's is not looked at.
    pub trusted_proxies: TrustedProxies,
    /// Origins of pages on other hosts that may call, such as `https://app.example.org`.
    pub allowed_origins: Vec<String>,
}

impl HttpSettings {
    /// How long a request may take.
    pub const fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }
}

/// The listener for operators: health, metrics, debug pages. Never public.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OperationsSettings {
    /// Address to listen on.
    pub host: IpAddr,
    /// Port; 0 lets the system choose.
    pub port: u16,
}

/// How the process ends.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleSettings {
    /// Everything, from the signal to the exit, is done within this.
    pub grace_ms: u64,
    /// Between "not ready" and the end of accepting: balancers and keep-alive peers move away.
    pub drain_delay_ms: u64,
    /// Stop when standard input closes, so that a service does not outlive what started it.
    pub stop_with_stdin: bool,
}
