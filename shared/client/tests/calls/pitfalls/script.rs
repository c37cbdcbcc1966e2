//! Whatever the peer does, and whatever the settings are, a call keeps to its rules. Hedges are
//! off: two attempts at once have their own tests.

use std::collections::HashSet;
use std::time::Duration;

use http::HeaderValue;
use http::header::RETRY_AFTER;
use lyceum_client::testing::{Act, Script, Sent};
use lyceum_client::{ClientError, Event, Upstream, UpstreamSettings};
use lyceum_resilience::deadline::{Deadline, Instant};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{get, keyed_post, post};

#[derive(Debug, Clone, Copy)]
enum End {
    Answer { status: u16, hint: Option<u64> },
    Lost,
    Unreachable,
    Hang,
}

#[derive(Debug, Clone, Copy)]
struct Deed {
    after_ms: u64,
    end: End,
}

impl Deed {
    fn act(self) -> Act {
        let act = match self.end {
            End::Answer { status, hint } => {
                let act = Act::json(status, &json!({}));
                match hint {
                    Some(hint) => act.with(RETRY_AFTER, HeaderValue::from(hint)),
                    None => act,
                }
            }
            End::Lost => Act::lost(),
            End::Unreachable => Act::unreachable(),
            End::Hang => Act::hang(),
        };
        act.after(Duration::from_millis(self.after_ms))
    }

    /// The status and the hint of an answer that came while the attempt still waited for it.
    fn answer(self, sent: &Sent) -> Option<(u16, Option<u64>)> {
        let limit_ms: u64 = sent.header("x-deadline-ms").parse().unwrap();
        match self.end {
            End::Answer { status, hint } if self.after_ms < limit_ms => Some((status, hint)),
            _ => None,
        }
    }
}

fn deeds() -> impl Strategy<Value = Deed> {
    let status = prop_oneof![
        2 => Just(200), 2 => Just(500), 2 => Just(503), 1 => Just(429), 1 => 200_u16..600
    ];
    let hint = proptest::option::of(0_u64..4);
    let end = prop_oneof![
        5 => (status, hint).prop_map(|(status, hint)| End::Answer { status, hint }),
        2 => Just(End::Lost),
        2 => Just(End::Unreachable),
        1 => Just(End::Hang),
    ];
    let after_ms = prop_oneof![3 => Just(0), 2 => 0_u64..100, 1 => 0_u64..5_000];
    (after_ms, end).prop_map(|(after_ms, end)| Deed { after_ms, end })
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Get,
    Post,
    ReadingPost,
    KeyedPost,
}

#[derive(Debug, Clone, Copy)]
struct Asked {
    kind: Kind,
    /// What the caller grants, if it does.
    granted_ms: Option<u64>,
    /// How long after the call before.
    pause_ms: u64,
}

fn calls() -> impl Strategy<Value = Asked> {
    let kinds = vec![Kind::Get, Kind::Post, Kind::ReadingPost, Kind::KeyedPost];
    let granted_ms = proptest::option::of(0_u64..6_000);
    let asked = (proptest::sample::select(kinds), granted_ms, 0_u64..3_000);
    asked.prop_map(|(kind, granted_ms, pause_ms)| Asked {
        kind,
        granted_ms,
        pause_ms,
    })
}

prop_compose! {
    fn settings()(
        attempts in 1_u32..=10,
        attempt_timeout_ms in 1_u64..4_000,
        more_ms in 0_u64..4_000,
        deadline_margin_ms in 0_u64..50,
        base_ms in 1_u64..50,
        cap_ms in 50_u64..500,
        percent in 0_u8..=100,
        floor_per_second in 0_u32..=3,
        consecutive_failures in 1_u8..=255,
    ) -> UpstreamSettings {
        let total_timeout_ms = attempt_timeout_ms + more_ms;
        let mut settings = UpstreamSettings {
            connect_timeout_ms: 1,
            attempt_timeout_ms,
            total_timeout_ms,
            attempts,
            deadline_margin_ms: deadline_margin_ms.min(total_timeout_ms - 1),
            ..UpstreamSettings::default()
        };
        settings.backoff.base_ms = base_ms;
        settings.backoff.cap_ms = cap_ms;
        settings.budget.percent = percent;
        settings.budget.floor_per_second = floor_per_second;
        settings.breaker.consecutive_failures = consecutive_failures;
        settings
    }
}

async fn ask(upstream: &Upstream, kind: Kind) -> Result<Value, ClientError> {
    match kind {
        Kind::Get => get(upstream).await,
        Kind::Post => post(upstream).await,
        Kind::ReadingPost => {
            let call = upstream.post("course.test", "/test", &json!({}));
            call.idempotent().json().await
        }
        Kind::KeyedPost => keyed_post(upstream).await,
    }
}

/// What one call has come to.
struct Seen<'a> {
    asked: Asked,
    settings: &'a UpstreamSettings,
    took: Duration,
    result: Result<Value, ClientError>,
    /// What was sent, and what the peer did with each.
    sent: &'a [Sent],
    deeds: &'a [Deed],
    repeats: usize,
}

impl Seen<'_> {
    fn check(&self) -> Result<(), TestCaseError> {
        let count = self.sent.len();
        prop_assert!(count <= self.settings.attempts as usize);
        prop_assert_eq!(self.repeats, count.saturating_sub(1), "a repeat is granted");
        for (sent, number) in self.sent.iter().zip(1..) {
            let told = if number == 1 {
                String::new()
            } else {
                number.to_string()
            };
            prop_assert_eq!(sent.header("x-attempt"), told);
        }
        for (pair, deed) in self.sent.windows(2).zip(self.deeds) {
            self.check_repeat(&pair[0], *deed, &pair[1])?;
        }

        let total = Duration::from_millis(self.settings.total_timeout_ms);
        let margin_ms = self.settings.deadline_margin_ms;
        let granted = |ms: u64| Duration::from_millis(ms.saturating_sub(margin_ms));
        let allowed = self
            .asked
            .granted_ms
            .map_or(total, |ms| total.min(granted(ms)));
        let end = allowed + Duration::from_millis(1);
        prop_assert!(self.took <= end, "{:?} of {allowed:?}", self.took);

        let keys: HashSet<_> = self
            .sent
            .iter()
            .map(|s| s.header("idempotency-key"))
            .collect();
        let keyed = matches!(self.asked.kind, Kind::KeyedPost);
        prop_assert!(keys.len() <= 1, "one key for all attempts");
        prop_assert!(keys.iter().all(|key| key.is_empty() != keyed));
        self.check_result()
    }

    /// What was done with a request, after which there was another.
    fn check_repeat(&self, sent: &Sent, deed: Deed, next: &Sent) -> Result<(), TestCaseError> {
        let harmless = !matches!(self.asked.kind, Kind::Post);
        prop_assert!(
            harmless || matches!(deed.end, End::Unreachable),
            "a second effect"
        );
        let Some((status, hint)) = deed.answer(sent) else {
            return Ok(());
        };
        let ambiguous = status >= 500 && status != 501 || status == 408;
        prop_assert!(ambiguous || status == 429 && hint.is_some(), "{status}");
        if let (429 | 503, Some(hint)) = (status, hint) {
            let wait = Duration::from_millis(deed.after_ms) + Duration::from_secs(hint);
            prop_assert!(next.at - sent.at >= wait, "sooner than told");
        }
        Ok(())
    }

    fn check_result(&self) -> Result<(), TestCaseError> {
        let last = self.sent.last().zip(self.deeds.last());
        let status = last.and_then(|(sent, deed)| Some(deed.answer(sent)?.0));
        let good = status.is_some_and(|status| (200..300).contains(&status));
        match &self.result {
            Ok(_) => {
                let end = last.map(|(_, deed)| deed.end);
                prop_assert!(matches!(end, Some(End::Answer { .. })), "{end:?}");
            }
            Err(error) => prop_assert!(!good, "{error} of a good answer"),
        }
        match self.result {
            Err(ClientError::DeadlineExceeded { attempts }) => {
                prop_assert_eq!(attempts as usize, self.sent.len());
            }
            Err(ClientError::CircuitOpen { .. } | ClientError::Overloaded) => {
                prop_assert!(self.sent.is_empty());
            }
            Err(ClientError::Unreachable { sent: false }) => {
                let unreachable = |deed: &Deed| matches!(deed.end, End::Unreachable);
                prop_assert!(self.deeds.iter().all(unreachable), "one may have been seen");
            }
            _ => {}
        }
        Ok(())
    }
}

async fn play(
    settings: &UpstreamSettings,
    deeds: &[Deed],
    calls: &[Asked],
) -> Result<(), TestCaseError> {
    let peer = Script::new(deeds.iter().map(|deed| deed.act()));
    let upstream = peer.upstream("course", settings).unwrap();
    let began = Instant::now();
    let mut all_repeats = 0_u128;
    for asked in calls {
        tokio::time::advance(Duration::from_millis(asked.pause_ms)).await;
        let (sent_before, told_before) = (peer.sent().len(), peer.events().len());
        let start = Instant::now();
        let call = ask(&upstream, asked.kind);
        let result = match asked.granted_ms {
            Some(ms) => Deadline::scope(Deadline::after(Duration::from_millis(ms)), call).await,
            None => call.await,
        };
        let took = start.elapsed();
        let (sent, told) = (peer.sent(), peer.events());
        let repeated = |event: &&Event| matches!(event, Event::Repeated { .. });
        let repeats = told[told_before..].iter().filter(repeated).count();
        all_repeats += repeats as u128;
        let last = deeds[deeds.len() - 1];
        let done = deeds.iter().copied().chain(std::iter::repeat(last));
        let done: Vec<_> = done.take(sent.len()).skip(sent_before).collect();
        let seen = Seen {
            asked: *asked,
            settings,
            took,
            result,
            sent: &sent[sent_before..],
            deeds: &done,
            repeats,
        };
        seen.check()?;
    }
    let budget = &settings.budget;
    let windows = began.elapsed().as_millis() / u128::from(budget.window_ms) + 1;
    let floor_of_one = u64::from(budget.floor_per_second) * budget.window_ms / 1_000;
    let floor = windows * u128::from(floor_of_one);
    let share = calls.len() as u128 * u128::from(budget.percent);
    prop_assert!(
        all_repeats * 100 <= share + floor * 100,
        "beyond the budget"
    );
    Ok(())
}

proptest! {
    #[test]
    fn whatever_the_peer_does_a_call_keeps_to_its_rules(
        settings in settings(),
        deeds in proptest::collection::vec(deeds(), 1..12),
        calls in proptest::collection::vec(calls(), 1..6),
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(&settings, &deeds, &calls))?;
    }
}
