//! The `live` section of the settings.

use std::time::Duration;

use lyceum_chassis::http::origin_authority;
use lyceum_chassis::settings::{Secret, SettingsError};
use serde::{Deserialize, Serialize};

use super::socket::Patience;
use super::{Limits, Pace};

/// How streams are kept; `default.toml` explains each key.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LiveSettings {
    /// An idle stream sends a comment this often.
    pub heartbeat_ms: u64,
    /// How long a client is told to wait before it reconnects.
    pub retry_ms: u64,
    /// Origins of pages on other hosts that may listen, such as `https://app.example.org`.
    pub allowed_origins: Vec<String>,
    /// How long a WebSocket waits for `hello`.
    pub hello_timeout_ms: u64,
    /// How often it asks for a sign of life.
    pub ping_ms: u64,
    /// How long it waits for one.
    pub pong_timeout_ms: u64,
    /// Frames a client may send in a minute, answers to pings and acknowledgements aside.
    pub frames_per_minute: u32,
    /// The most streams one person may have open on this process.
    pub streams_per_user: usize,
    /// The most streams open on this process.
    pub streams_per_node: usize,
    /// Whether replicas tell one another what they have written; they can on Postgres.
    pub listen: bool,
    /// Where to listen; empty is `database.url`. A pool that lends connections for one transaction
    /// each passes nothing on.
    pub listen_url: Secret,
    /// Whether to look for notifications that another replica has written.
    pub sweep: bool,
    /// How often to look.
    pub sweep_ms: u64,
}

impl LiveSettings {
    pub(crate) const fn limits(&self) -> Limits {
        Limits {
            per_user: self.streams_per_user,
            per_node: self.streams_per_node,
        }
    }

    pub(crate) const fn pace(&self) -> Pace {
        Pace {
            heartbeat: Duration::from_millis(self.heartbeat_ms),
            retry: Duration::from_millis(self.retry_ms),
        }
    }

    pub(crate) const fn patience(&self) -> Patience {
        Patience {
            hello: Duration::from_millis(self.hello_timeout_ms),
            ping: Duration::from_millis(self.ping_ms),
            pong: Duration::from_millis(self.pong_timeout_ms),
            per_minute: self.frames_per_minute,
        }
    }

    pub(crate) const fn sweep_every(&self) -> Duration {
        Duration::from_millis(self.sweep_ms)
    }

    /// Refuses what cannot work; names the key.
    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        let numbers = [
            ("live.heartbeat_ms", self.heartbeat_ms > 0),
            ("live.retry_ms", self.retry_ms > 0),
            ("live.hello_timeout_ms", self.hello_timeout_ms > 0),
            ("live.ping_ms", self.ping_ms > 0),
            ("live.pong_timeout_ms", self.pong_timeout_ms > 0),
            ("live.frames_per_minute", self.frames_per_minute > 0),
            ("live.streams_per_user", self.streams_per_user > 0),
            ("live.streams_per_node", self.streams_per_node > 0),
            ("live.sweep_ms", self.sweep_ms > 0),
        ];
        if let Some((key, _)) = numbers.into_iter().find(|(_, above_zero)| !above_zero) {
            return Err(SettingsError::refused(key, "must be above 0"));
        }
        let mut origins = self.allowed_origins.iter();
        if !origins.all(|origin| origin_authority(origin).is_some()) {
            let rule = "must be origins, such as https://app.example.org";
            return Err(SettingsError::refused("live.allowed_origins", rule));
        }
        Ok(())
    }
}
