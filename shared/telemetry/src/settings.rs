//! What an operator may choose about telemetry, and who the process says it is.
//! No defaults live here: every service's `default.toml` lists every key with its reason.

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::TelemetryError;

/// The `telemetry` section of a service's settings.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Base URL of an OTLP receiver speaking http/protobuf, such as `http://127.0.0.1:4318`;
    /// `/v1/traces` and `/v1/metrics` are appended. Absent or empty: nothing is exported.
    #[serde(default)]
    pub otlp_endpoint: Option<String>,
    /// Share of new traces that are recorded, 0 to 1. A trace begun elsewhere keeps its caller's decision.
    pub sample_ratio: f64,
    /// How log lines are written to standard output.
    pub log_format: LogFormat,
    /// Which log lines are written, in the syntax of `tracing_subscriber::EnvFilter`. Never changes what is traced.
    pub log_filter: String,
    /// Milliseconds between two exports of spans, and of metrics.
    pub export_interval_ms: u64,
    /// Milliseconds one export may take; it also bounds how long stopping waits for a dead receiver.
    pub export_timeout_ms: u64,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Pretty when standard output is a terminal, JSON otherwise.
    Auto,
    /// One JSON object a line.
    Json,
    /// One line for a human.
    Pretty,
}

/// Who this process is in every trace and metric: the OpenTelemetry Resource.
#[derive(Clone, Debug)]
pub struct ServiceIdentity {
    /// `service.name`, such as `user`; `service.namespace` is always `lyceum`.
    pub name: &'static str,
    /// `service.version`.
    pub version: &'static str,
    /// `deployment.environment.name`, such as `development`.
    pub environment: String,
}

impl TelemetrySettings {
    /// The receiver's base URL without a trailing slash, or `None` when export is off.
    pub(crate) fn endpoint(&self) -> Option<&str> {
        let base = self.otlp_endpoint.as_deref()?.trim().trim_end_matches('/');
        (!base.is_empty()).then_some(base)
    }

    pub(crate) fn export_interval(&self) -> Duration {
        Duration::from_millis(self.export_interval_ms)
    }

    pub(crate) fn export_timeout(&self) -> Duration {
        Duration::from_millis(self.export_timeout_ms)
    }

    /// Refuses values the SDK would bend into something else without a word.
    ///
    /// # Errors
    /// [`TelemetryError::Setting`] names the key.
    pub fn check(&self) -> Result<(), TelemetryError> {
        let refuse = |key, reason: &str| {
            Err(TelemetryError::Setting {
                key,
                reason: reason.to_owned(),
            })
        };
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return refuse("telemetry.sample_ratio", "must lie between 0 and 1");
        }
        if self.export_interval_ms == 0 {
            return refuse("telemetry.export_interval_ms", "must be greater than 0");
        }
        if self.export_timeout_ms == 0 {
            return refuse("telemetry.export_timeout_ms", "must be greater than 0");
        }
        match self.endpoint() {
            Some(base) if !is_http_url(base) => refuse(
                "telemetry.otlp_endpoint",
                "must be an http:// or https:// URL with a host",
            ),
            _ => Ok(()),
        }
    }
}

fn is_http_url(base: &str) -> bool {
    base.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> TelemetrySettings {
        TelemetrySettings {
            otlp_endpoint: None,
            sample_ratio: 1.0,
            log_format: LogFormat::Auto,
            log_filter: "info".to_owned(),
            export_interval_ms: 1000,
            export_timeout_ms: 1000,
        }
    }

    #[test]
    fn an_empty_endpoint_means_off() {
        for off in [None, Some(String::new()), Some("  ".to_owned())] {
            assert_eq!(
                TelemetrySettings {
                    otlp_endpoint: off,
                    ..settings()
                }
                .endpoint(),
                None
            );
        }
    }

    #[test]
    fn a_trailing_slash_does_not_double() {
        let settings = TelemetrySettings {
            otlp_endpoint: Some("http://host:4318/".to_owned()),
            ..settings()
        };
        assert_eq!(settings.endpoint(), Some("http://host:4318"));
    }

    #[test]
    fn a_refused_value_names_its_key() {
        let cases = [
            (
                TelemetrySettings {
                    sample_ratio: 1.5,
                    ..settings()
                },
                "telemetry.sample_ratio",
            ),
            (
                TelemetrySettings {
                    sample_ratio: f64::NAN,
                    ..settings()
                },
                "telemetry.sample_ratio",
            ),
            (
                TelemetrySettings {
                    export_interval_ms: 0,
                    ..settings()
                },
                "telemetry.export_interval_ms",
            ),
            (
                TelemetrySettings {
                    export_timeout_ms: 0,
                    ..settings()
                },
                "telemetry.export_timeout_ms",
            ),
            (
                TelemetrySettings {
                    otlp_endpoint: Some("localhost:4318".to_owned()),
                    ..settings()
                },
                "telemetry.otlp_endpoint",
            ),
        ];
        for (settings, key) in cases {
            let error = settings.check().expect_err(key);
            assert!(error.to_string().contains(key), "{error}");
        }
    }
}
