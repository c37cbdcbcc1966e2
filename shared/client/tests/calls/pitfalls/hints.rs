//! `Retry-After`: when the peer wants to be asked again.

use std::time::{Duration, SystemTime};

use http::HeaderValue;
use http::header::RETRY_AFTER;
use lyceum_client::ClientError;
use lyceum_client::testing::{Act, Script};
use lyceum_resilience::deadline::{Deadline, Instant};
use serde_json::json;

use super::{get, keyed_post, upstream};

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(1);

fn busy(status: u16, hint: &str) -> Act {
    Act::status(status).with(RETRY_AFTER, HeaderValue::try_from(hint).unwrap())
}

/// A peer that is busy once, until `offset` seconds from now by the calendar.
fn busy_until(offset: i64) -> Script {
    Script::deciding(move |sent| {
        if !sent.header("x-attempt").is_empty() {
            return Act::json(200, &json!({}));
        }
        let far = Duration::from_secs(offset.unsigned_abs());
        let now = SystemTime::now();
        let then = if offset < 0 { now - far } else { now + far };
        busy(503, &httpdate::fmt_http_date(then))
    })
}

fn gap(peer: &Script) -> Duration {
    let sent = peer.sent();
    assert_eq!(sent.len(), 2);
    sent[1].at - sent[0].at
}

#[tokio::test(start_paused = true)]
async fn seconds_are_waited_for() {
    for status in [429, 503] {
        let peer = Script::new([busy(status, "2"), Act::json(200, &json!({}))]);
        get(&upstream(&peer, |_| {})).await.unwrap();
        assert!(gap(&peer) >= 2 * SECOND && gap(&peer) <= 2 * SECOND + TICK);
    }
}

#[tokio::test(start_paused = true)]
async fn a_date_is_waited_for() {
    let peer = busy_until(30);
    let upstream = upstream(&peer, |settings| settings.total_timeout_ms = 60_000);
    get(&upstream).await.unwrap();
    // A date has no parts of a second, and the calendar goes on meanwhile.
    assert!(gap(&peer) > 20 * SECOND && gap(&peer) <= 30 * SECOND + TICK);
}

#[tokio::test(start_paused = true)]
async fn a_date_in_the_past_means_now() {
    let peer = busy_until(-3_600);
    get(&upstream(&peer, |_| {})).await.unwrap();
    assert!(gap(&peer) <= 26 * TICK, "only the jitter of any repeat");
}

#[tokio::test(start_paused = true)]
async fn beyond_the_deadline_it_is_told_and_not_waited_for() {
    let in_an_hour = busy_until(3_600);
    let five_seconds = Script::new([busy(503, "5")]);
    for (peer, hint) in [(in_an_hour, 3_600 * SECOND), (five_seconds, 5 * SECOND)] {
        let began = Instant::now();
        let error = get(&upstream(&peer, |_| {})).await.unwrap_err();
        let ClientError::Refused { retry_after, .. } = error else {
            panic!("{error}")
        };
        let told = retry_after.unwrap();
        assert!(told <= hint && told + 10 * SECOND > hint, "{told:?}");
        assert_eq!((peer.sent().len(), began.elapsed()), (1, Duration::ZERO));
    }
}

#[tokio::test(start_paused = true)]
async fn beyond_the_deadline_of_the_caller_it_is_told_too() {
    let peer = Script::new([busy(429, "1")]);
    let upstream = upstream(&peer, |_| {});
    let call = Deadline::scope(Deadline::after(SECOND), keyed_post(&upstream));
    let (problem, hint) = call.await.unwrap_err().to_problem();
    assert_eq!((problem.status, hint), (503, Some(SECOND)));
    assert_eq!(peer.sent().len(), 1);
}
