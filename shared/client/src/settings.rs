//! Settings of one upstream, and what contradicts itself among them.

use std::time::Duration;

use lyceum_resilience::InvalidSetting;
use lyceum_resilience::backoff::{Backoff, BackoffSettings};
use lyceum_resilience::breaker::BreakerSettings;
use lyceum_resilience::budget::{BudgetSettings, RetryBudget};
use lyceum_resilience::bulkhead::{Bulkhead, BulkheadSettings};
use lyceum_resilience::deadline::Instant;
use lyceum_resilience::hedge::{Hedge, HedgeSettings};
use lyceum_resilience::outlier::{OutlierSettings, Outliers};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::cache::CacheSettings;
use crate::faults::{Fault, FaultInjection, FaultSettings};

/// One upstream, for example the section `upstreams.course`. Only `base_url` has no default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamSettings {
    /// Where the peer listens, for example `http://127.0.0.1:8002`; no path. Several are separated
    /// by commas.
    pub base_url: String,
    /// Longest wait for a connection, in milliseconds.
    pub connect_timeout_ms: u64,
    /// Longest one attempt may take, body included, in milliseconds.
    pub attempt_timeout_ms: u64,
    /// Longest the whole call may take, waits and repeats included, in milliseconds.
    pub total_timeout_ms: u64,
    /// Attempts per call. The first repeat helps one time in four, the second one in thirty
    /// (dotnet/extensions#7686), so 2.
    pub attempts: u32,
    /// Kept back of what the caller still grants, so that it hears the answer, in milliseconds.
    pub deadline_margin_ms: u64,
    /// An idle connection is closed after this, in milliseconds: before the server does, which
    /// holds it for 5 s, so that no request meets a closing connection.
    pub pool_idle_timeout_ms: u64,
    /// How often the names in `base_url` are looked up, in milliseconds: each of several addresses
    /// is an endpoint of its own. 0 leaves names to the connection.
    pub dns_refresh_ms: u64,
    /// Largest body that is read, in bytes.
    pub max_response_bytes: usize,
    /// Waits between attempts.
    pub backoff: BackoffSettings,
    /// How many repeats the peer is burdened with.
    pub budget: BudgetSettings,
    /// When the peer is left alone.
    pub breaker: BreakerSettings,
    /// How many calls are in flight at once.
    pub bulkhead: BulkheadSettings,
    /// When one of several endpoints is left out.
    pub outlier: OutlierSettings,
    /// When to ask a second time because the first answer is late.
    pub hedge: HedgeSettings,
    /// For how long an answer is kept, of the reads that may be answered so.
    pub cache: CacheSettings,
    /// Which attempts fail on purpose: none, unless somebody says so.
    pub faults: FaultSettings,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            connect_timeout_ms: 1_000,
            attempt_timeout_ms: 2_000,
            total_timeout_ms: 5_000,
            attempts: 2,
            deadline_margin_ms: 10,
            pool_idle_timeout_ms: 4_000,
            dns_refresh_ms: 5_000,
            max_response_bytes: 4 * 1024 * 1024,
            backoff: BackoffSettings::default(),
            budget: BudgetSettings::default(),
            breaker: BreakerSettings::default(),
            bulkhead: BulkheadSettings::default(),
            outlier: OutlierSettings::default(),
            hedge: HedgeSettings::default(),
            cache: CacheSettings::default(),
            faults: FaultSettings::default(),
        }
    }
}

/// A setting that cannot work. Names the key as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` must {rule}")]
pub struct SettingsError {
    /// The key to change, from the root of the file.
    pub key: String,
    /// What its value has to satisfy; continues "must …".
    pub rule: String,
}

impl SettingsError {
    pub(crate) fn new(key: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            rule: rule.into(),
        }
    }

    pub(crate) fn of_upstream(upstream: &str, invalid: InvalidSetting) -> Self {
        Self::new(
            format!("upstreams.{upstream}.{}", invalid.key),
            invalid.rule,
        )
    }
}

/// The settings that shape one attempt and the loop around it, checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) attempt: Duration,
    pub(crate) total: Duration,
    pub(crate) attempts: u32,
    pub(crate) margin: Duration,
    pub(crate) pool_idle: Duration,
    pub(crate) response_bytes: usize,
}

impl UpstreamSettings {
    /// Refuses what contradicts itself, before anything is built of it, and faults where there
    /// must be none. `upstream` is the section below `upstreams`.
    ///
    /// # Errors
    /// [`SettingsError`] names the key.
    pub fn check(&self, upstream: &str, faults: FaultInjection) -> Result<(), SettingsError> {
        let checked = || -> Result<(), InvalidSetting> {
            self.origins()?;
            self.limits()?;
            self.breaker.validate()?;
            self.cache.check()?;
            Outliers::new(&self.outlier, Instant::now(), 0)?;
            Hedge::new(&self.hedge, Instant::now())?;
            Backoff::new(&self.backoff)?;
            RetryBudget::new(&self.budget, Instant::now())?;
            Bulkhead::new(&self.bulkhead).map(drop)
        };
        checked().map_err(|invalid| SettingsError::of_upstream(upstream, invalid))?;
        self.fault(upstream)?;
        match self.faults.turned_on_by() {
            Some(key) if faults == FaultInjection::Refused => Err(SettingsError::new(
                format!("upstreams.{upstream}.faults.{key}"),
                "be off: production does not fail on purpose",
            )),
            _ => Ok(()),
        }
    }

    /// The fault to start with.
    pub(crate) fn fault(&self, upstream: &str) -> Result<Option<Fault>, SettingsError> {
        let section = format!("upstreams.{upstream}.faults");
        self.faults.check().map_err(|broken| match broken.first() {
            Some(InvalidSetting { key, rule }) => {
                SettingsError::new(format!("{section}.{key}"), *rule)
            }
            None => SettingsError::new(section, "be a fault that can be"),
        })
    }

    /// Checks what belongs to this crate; the parts of `lyceum-resilience` check their own.
    pub(crate) fn limits(&self) -> Result<Limits, InvalidSetting> {
        const TEN_MINUTES_MS: u64 = 600_000;
        require(
            (1..=TEN_MINUTES_MS).contains(&self.total_timeout_ms),
            "total_timeout_ms",
            "be between 1 and 600000",
        )?;
        require(
            (1..=self.total_timeout_ms).contains(&self.attempt_timeout_ms),
            "attempt_timeout_ms",
            "be between 1 and `total_timeout_ms`",
        )?;
        require(
            (1..=self.attempt_timeout_ms).contains(&self.connect_timeout_ms),
            "connect_timeout_ms",
            "be between 1 and `attempt_timeout_ms`",
        )?;
        require(
            (1..=10).contains(&self.attempts),
            "attempts",
            "be between 1 and 10",
        )?;
        require(
            self.attempts > 1 || self.hedge.max_extra_percent == 0,
            "hedge.max_extra_percent",
            "be 0 when `attempts` is 1: a hedge is a second attempt",
        )?;
        require(
            self.hedge.max_extra_percent == 0 || self.hedge.min_delay_ms < self.attempt_timeout_ms,
            "hedge.min_delay_ms",
            "be below `attempt_timeout_ms`",
        )?;
        require(
            self.cache.fresh_ms == 0 || self.cache.max_bytes >= self.max_response_bytes as u64,
            "cache.max_bytes",
            "be at least `max_response_bytes`, or such an answer is never kept",
        )?;
        require(
            self.deadline_margin_ms < self.total_timeout_ms,
            "deadline_margin_ms",
            "be below `total_timeout_ms`",
        )?;
        require(
            (1..=TEN_MINUTES_MS).contains(&self.pool_idle_timeout_ms),
            "pool_idle_timeout_ms",
            "be between 1 and 600000",
        )?;
        require(
            self.dns_refresh_ms == 0 || (100..=TEN_MINUTES_MS).contains(&self.dns_refresh_ms),
            "dns_refresh_ms",
            "be 0, or between 100 and 600000",
        )?;
        require(
            self.max_response_bytes > 0,
            "max_response_bytes",
            "be at least 1",
        )?;
        // Microsoft's rule: a window that two slow attempts fill says nothing.
        require(
            self.breaker.window_ms >= 2 * self.attempt_timeout_ms,
            "breaker.window_ms",
            "be at least twice `attempt_timeout_ms`",
        )?;
        // Otherwise the verdicts of probes still under way are thrown away, and it never closes.
        require(
            self.breaker.max_half_open_ms >= self.attempt_timeout_ms,
            "breaker.max_half_open_ms",
            "be at least `attempt_timeout_ms`",
        )?;
        Ok(Limits {
            connect: Duration::from_millis(self.connect_timeout_ms),
            attempt: Duration::from_millis(self.attempt_timeout_ms),
            total: Duration::from_millis(self.total_timeout_ms),
            attempts: self.attempts,
            margin: Duration::from_millis(self.deadline_margin_ms),
            pool_idle: Duration::from_millis(self.pool_idle_timeout_ms),
            response_bytes: self.max_response_bytes,
        })
    }

    /// The base URLs, at least one.
    pub(crate) fn origins(&self) -> Result<Vec<Url>, InvalidSetting> {
        let origins: Result<Vec<Url>, _> = self.base_url.split(',').map(origin).collect();
        let origins = origins?;
        let twice = (1..origins.len()).any(|index| origins[..index].contains(&origins[index]));
        require(!twice, "base_url", "name each URL once")?;
        Ok(origins)
    }
}

fn origin(text: &str) -> Result<Url, InvalidSetting> {
    let invalid = InvalidSetting {
        key: "base_url",
        rule: "be http or https URLs without credentials, path or query, separated by commas",
    };
    let url = Url::parse(text.trim()).map_err(|_| invalid)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if plain { Ok(url) } else { Err(invalid) }
}

pub(crate) fn require(
    holds: bool,
    key: &'static str,
    rule: &'static str,
) -> Result<(), InvalidSetting> {
    if holds {
        Ok(())
    } else {
        Err(InvalidSetting { key, rule })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_once_there_is_a_url() {
        let settings = UpstreamSettings {
            base_url: "http://127.0.0.1:8002".to_owned(),
            ..UpstreamSettings::default()
        };
        assert!(settings.limits().is_ok());
        assert_eq!(
            settings.origins().unwrap()[0].as_str(),
            "http://127.0.0.1:8002/"
        );
    }

    #[test]
    fn what_hedges_would_need_is_asked_of_nobody_who_sends_none() {
        let settings = UpstreamSettings {
            connect_timeout_ms: 1,
            attempt_timeout_ms: 1,
            ..UpstreamSettings::default()
        };
        assert_eq!(settings.hedge.max_extra_percent, 0);
        assert!(settings.limits().is_ok());
    }

    #[test]
    fn settings_that_contradict_themselves_are_refused_by_the_name_of_the_key() {
        let defaults = UpstreamSettings::default;
        for (settings, key) in [
            (
                UpstreamSettings {
                    attempt_timeout_ms: 5_001,
                    ..defaults()
                },
                "attempt_timeout_ms",
            ),
            (
                UpstreamSettings {
                    connect_timeout_ms: 2_001,
                    ..defaults()
                },
                "connect_timeout_ms",
            ),
            (
                UpstreamSettings {
                    total_timeout_ms: 0,
                    ..defaults()
                },
                "total_timeout_ms",
            ),
            (
                UpstreamSettings {
                    attempts: 0,
                    ..defaults()
                },
                "attempts",
            ),
            (
                UpstreamSettings {
                    attempts: 1,
                    hedge: HedgeSettings {
                        max_extra_percent: 2,
                        ..HedgeSettings::default()
                    },
                    ..defaults()
                },
                "hedge.max_extra_percent",
            ),
            (
                UpstreamSettings {
                    hedge: HedgeSettings {
                        max_extra_percent: 2,
                        min_delay_ms: 2_000,
                        ..HedgeSettings::default()
                    },
                    ..defaults()
                },
                "hedge.min_delay_ms",
            ),
            (
                UpstreamSettings {
                    deadline_margin_ms: 5_000,
                    ..defaults()
                },
                "deadline_margin_ms",
            ),
            (
                UpstreamSettings {
                    pool_idle_timeout_ms: 0,
                    ..defaults()
                },
                "pool_idle_timeout_ms",
            ),
            (
                UpstreamSettings {
                    max_response_bytes: 0,
                    ..defaults()
                },
                "max_response_bytes",
            ),
            (
                UpstreamSettings {
                    breaker: BreakerSettings {
                        window_ms: 3_999,
                        ..BreakerSettings::default()
                    },
                    ..defaults()
                },
                "breaker.window_ms",
            ),
            (
                UpstreamSettings {
                    breaker: BreakerSettings {
                        max_half_open_ms: 1_999,
                        ..BreakerSettings::default()
                    },
                    ..defaults()
                },
                "breaker.max_half_open_ms",
            ),
        ] {
            assert_eq!(settings.limits().unwrap_err().key, key);
        }
    }

    #[test]
    fn a_base_url_is_an_origin_and_nothing_more() {
        for text in [
            "",
            "127.0.0.1:8002",
            "ftp://peer",
            "http://user:secret@peer",
            "http://peer/path",
            "http://peer/?query",
            "http://one,",
            "http://one,http://two/path",
            "http://one, http://one",
        ] {
            let settings = UpstreamSettings {
                base_url: text.to_owned(),
                ..UpstreamSettings::default()
            };
            assert_eq!(settings.origins().unwrap_err().key, "base_url", "{text:?}");
        }
    }
}
