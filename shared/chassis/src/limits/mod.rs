//! How often something may be done: by one address, or to one account.
//!
//! A [`Limit`] lets `quota` through at once and gives one back every `window / quota` (GCRA, by the
//! crate `governor`): no edge of a window at which everything is let through twice. A route is
//! limited by address where it is declared, before its body is read:
//!
//! ```
//! use actix_web::web;
//! use lyceum_chassis::limits::{Limit, LimitSettings, per_address};
//!
//! # async fn open_session() -> &'static str { "" }
//! let settings = LimitSettings { quota: 30, window_s: 60 };
//! let login = Limit::new("login", settings);
//! web::resource("/auth/login").route(web::post().to(open_session).wrap(per_address(&login)));
//! ```
//!
//! Other keys are counted by [`Limit::admit`], for instance before a password is compared. Every
//! limit is of one process: with three replicas somebody may do it three times as often.
//!
//! | module | what |
//! |---|---|
//! | `store` | what is remembered of each key, in bounded memory |
//! | `headers` | `RateLimit`, `RateLimit-Policy` and `Retry-After` |
//! | `address` | who is calling, behind proxies and without |

mod address;
mod headers;
mod per_address;
mod settings;
mod store;

use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{NotUntil, Quota, RateLimiter};
use lyceum_contracts::problem::ProblemKind;
use lyceum_telemetry::metrics::{Counter, KeyValue, meter};

pub use self::address::TrustedProxies;
pub use self::headers::Standing;
pub use self::per_address::per_address;
pub use self::settings::LimitSettings;
use self::store::Remembered;
use crate::http::ApiError;

/// One limit, counted for each key apart; clones count together.
#[derive(Clone)]
pub struct Limit<C: Clock = DefaultClock>(Arc<Parts<C>>);

struct Parts<C: Clock> {
    policy: Policy,
    limiter: RateLimiter<u64, Remembered, C, StateInformationMiddleware>,
    remembered: Remembered,
    refused: Counter<u64>,
}

/// What is told of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Policy {
    name: &'static str,
    quota: NonZeroU32,
    window: Duration,
}

impl Policy {
    /// The time in which one of the quota comes back.
    fn interval(self) -> Duration {
        self.window / self.quota.get()
    }
}

impl Limit {
    /// A limit that nobody has touched yet. `name` is what callers and operators read.
    pub fn new(name: &'static str, settings: LimitSettings) -> Self {
        Self::with_clock(name, settings, DefaultClock::default())
    }
}

impl<C: Clock> Limit<C> {
    fn with_clock(name: &'static str, settings: LimitSettings, clock: C) -> Self {
        let policy = settings.policy(name);
        // `governor` refuses a time of zero; the settings do, too, when they are checked.
        let interval = policy.interval().max(Duration::from_nanos(1));
        let quota = Quota::with_period(interval)
            .unwrap_or_else(|| Quota::per_second(policy.quota))
            .allow_burst(policy.quota);
        let remembered = Remembered::default();
        Self(Arc::new(Parts {
            policy,
            limiter: RateLimiter::new(quota, remembered.clone(), clock),
            remembered,
            refused: meter()
                .u64_counter("lyceum.limits.refused")
                .with_unit("{request}")
                .with_description("Requests refused because there were too many, by limit.")
                .build(),
        }))
    }

    /// Counts one more of `key`.
    ///
    /// # Errors
    /// 429 with `Retry-After` when there were too many. A refusal does not count.
    pub fn admit(&self, key: &impl Hash) -> Result<Standing, ApiError> {
        let Parts {
            policy, limiter, ..
        } = &*self.0;
        match limiter.check_key(&self.0.remembered.digest(key)) {
            Ok(state) => Ok(Standing::after(*policy, state.remaining_burst_capacity())),
            Err(not_until) => Err(self.refuse(&not_until)),
        }
    }

    /// Forgets what was counted of `key`.
    pub fn forgive(&self, key: &impl Hash) {
        self.0.remembered.forget(self.0.remembered.digest(key));
    }

    fn refuse(&self, not_until: &NotUntil<C::Instant>) -> ApiError {
        let policy = self.0.policy;
        let wait = not_until.wait_time_from(self.0.limiter.clock().now());
        let label = KeyValue::new("lyceum.limit", policy.name);
        self.0.refused.add(1, &[label]);
        let standing = Standing::until(policy, wait);
        let refusal = ApiError::of(ProblemKind::TooManyRequests).retry_after(wait);
        standing
            .headers()
            .into_iter()
            .fold(refusal, |refusal, (name, value)| {
                refusal.header(name, value)
            })
    }
}

impl<C: Clock> fmt::Debug for Limit<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Limit").field(&self.0.policy).finish()
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit(quota: u32, window_s: u64) -> (Limit<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let settings = LimitSettings { quota, window_s };
        (Limit::with_clock("login", settings, clock.clone()), clock)
    }

    fn header(refusal: &ApiError, name: &str) -> String {
        let found = refusal.headers().iter().find(|(known, _)| known == name);
        found.unwrap().1.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_quota_is_let_through_at_once_and_then_one_for_each_part_of_the_window() {
        let (limit, clock) = limit(3, 60);
        for left in [2, 1, 0] {
            let told = format!("\"login\";r={left};t=20");
            assert_eq!(limit.admit(&"ada").unwrap().to_string(), told);
        }
        clock.advance(Duration::from_secs(3));
        let refusal = limit.admit(&"ada").unwrap_err();
        assert_eq!(refusal.problem().status, 429);
        assert_eq!(header(&refusal, "retry-after"), "17");
        assert_eq!(header(&refusal, "ratelimit"), "\"login\";r=0;t=17");
        assert_eq!(header(&refusal, "ratelimit-policy"), "\"login\";q=3;w=60");
        assert!(limit.admit(&"bob").is_ok(), "another is not affected");
        clock.advance(Duration::from_secs(17));
        assert!(limit.admit(&"ada").is_ok());
        assert!(limit.admit(&"ada").is_err());
    }

    #[test]
    fn refusals_do_not_count_so_whoever_goes_on_trying_is_let_in_as_soon_as_others() {
        let (limit, clock) = limit(1, 60);
        assert!(limit.admit(&"ada").is_ok());
        for _ in 0..59 {
            assert!(limit.admit(&"ada").is_err());
            clock.advance(Duration::from_secs(1));
        }
        clock.advance(Duration::from_secs(1));
        assert!(limit.admit(&"ada").is_ok());
    }

    #[test]
    fn what_is_forgiven_counts_no_more() {
        let (limit, _clock) = limit(2, 60);
        assert!(limit.admit(&"ada").is_ok());
        limit.forgive(&"ada");
        assert!(limit.admit(&"ada").is_ok());
        assert!(limit.admit(&"ada").is_ok());
        assert!(limit.admit(&"ada").is_err());
    }
}
