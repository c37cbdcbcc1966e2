//! Three hops in a row, the last one dead for a while: every service in one process, on one
//! paused clock, each behind an upstream of the one before it.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::HeaderValue;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use lyceum_client::testing::{Act, Script, Sent};
use lyceum_client::{ClientError, Event, Upstream, UpstreamSettings};
use lyceum_contracts::problem::MEDIA_TYPE;
use lyceum_resilience::breaker::{Mode, State};
use lyceum_resilience::deadline::{Deadline, Instant};
use serde_json::json;

use super::get;

const PER_SECOND: usize = 400;
/// How long a peer that works takes for an answer.
const ANSWER: Duration = Duration::from_millis(5);
/// The longest a whole call may take, by default.
const TOTAL: Duration = Duration::from_secs(5);
const OUTAGE: Duration = Duration::from_secs(30);
const MILLI: Duration = Duration::from_millis(1);

fn good() -> Act {
    Act::json(200, &json!({})).after(ANSWER)
}

/// How a service passes on that it could not ask the next one.
type PassOn = fn(&ClientError) -> Act;

/// As ours do: with a problem whose type says that another service is in trouble.
fn with_a_problem(error: &ClientError) -> Act {
    let (problem, hint) = error.to_problem();
    let act = Act::json(problem.status, &serde_json::to_value(&problem).unwrap());
    let act = act.with(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    match hint {
        // Rounded up, so that nobody comes back too soon.
        Some(hint) => act.with(RETRY_AFTER, HeaderValue::from(hint.as_secs() + 1)),
        None => act,
    }
}

/// As one that knows nothing of ours: it seems to fail itself.
fn without_a_word(_: &ClientError) -> Act {
    Act::status(500)
}

/// A service that asks the next one and passes on what it heard.
fn relay(next: Upstream, pass_on: PassOn) -> Script {
    Script::serving(move |sent: Sent| {
        let next = next.clone();
        async move {
            let left = sent.header("x-deadline-ms").parse().unwrap();
            let deadline = Deadline::after(Duration::from_millis(left));
            match Deadline::scope(deadline, get(&next)).await {
                Ok(_) => good(),
                Err(error) => pass_on(&error),
            }
        }
    })
}

struct Chain {
    /// The peers, the last one last.
    peers: [Script; 3],
    /// Who asks the peer of the same place.
    upstreams: [Upstream; 3],
    began: Instant,
}

impl Chain {
    /// `dead` is what the last peer does while it is.
    fn new(dead: Act, pass_on: PassOn, settings: &UpstreamSettings) -> Self {
        let began = Instant::now();
        let last = Script::deciding(move |sent| {
            if sent.at - began < OUTAGE {
                dead.clone()
            } else {
                good()
            }
        });
        let third = last.upstream("notification", settings).unwrap();
        let middle = relay(third.clone(), pass_on);
        let second = middle.upstream("course", settings).unwrap();
        let first = relay(second.clone(), pass_on);
        let front = first.upstream("user", settings).unwrap();
        Self {
            peers: [first, middle, last],
            upstreams: [front, second, third],
            began,
        }
    }

    /// Calls at an even rate until `end`, measured from the beginning; how many there were, and
    /// the longest.
    async fn load(&self, end: Duration) -> (usize, Duration) {
        let mut under_way = FuturesUnordered::new();
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / 400);
        let (mut calls, mut longest) = (0, Duration::ZERO);
        loop {
            tokio::select! {
                biased;
                Some(took) = under_way.next() => longest = longest.max(took),
                now = ticks.tick() => {
                    if now - self.began >= end {
                        break;
                    }
                    calls += 1;
                    let front = self.upstreams[0].clone();
                    under_way.push(async move {
                        get(&front).await.ok();
                        now.elapsed()
                    });
                }
            }
        }
        while let Some(took) = under_way.next().await {
            longest = longest.max(took);
        }
        (calls, longest)
    }

    fn sent(&self) -> Vec<Sent> {
        self.peers[2].sent()
    }

    /// What the breaker before a peer became, in order.
    fn changes(&self, peer: usize) -> Vec<State> {
        let events = self.peers[peer].events().into_iter();
        let changes = events.filter_map(|event| match event {
            Event::Breaker { transition, .. } => Some(transition.to),
            _ => None,
        });
        changes.collect()
    }
}

/// Sends at the last peer for a hundred calls, while nothing but the budgets holds them back.
async fn sends_for_a_hundred(pass_on: PassOn) -> usize {
    let mut settings = UpstreamSettings::default();
    // A floor weighs the more, the fewer the calls.
    settings.budget.floor_per_second = 0;
    let chain = Chain::new(Act::unreachable(), pass_on, &settings);
    for upstream in &chain.upstreams {
        assert!(upstream.set_mode("peer.test:80", Mode::ForcedClosed));
    }
    let (calls, _) = chain.load(OUTAGE).await;
    assert_eq!(calls, 12_000);
    (chain.sent().len() * 100).div_ceil(calls)
}

#[tokio::test(start_paused = true)]
async fn three_hops_in_a_row_burden_a_dead_one_with_at_most_a_third_more() {
    let sends = sends_for_a_hundred(without_a_word).await;
    assert!((125..=135).contains(&sends), "1.1³ is 1.33: {sends}");
}

#[tokio::test(start_paused = true)]
async fn hops_that_say_whose_trouble_it_is_burden_a_dead_one_with_a_tenth_more() {
    let sends = sends_for_a_hundred(with_a_problem).await;
    assert!(
        (105..=111).contains(&sends),
        "only the last hop repeats: {sends}"
    );
}

#[tokio::test(start_paused = true)]
async fn with_breakers_a_dead_one_is_hardly_asked_and_nobody_waits_beyond_the_deadline() {
    for dead in [Act::status(500), Act::hang()] {
        for pass_on in [with_a_problem, without_a_word] {
            let chain = Chain::new(dead.clone(), pass_on, &UpstreamSettings::default());
            let (calls, longest) = chain.load(OUTAGE).await;
            let sent = chain.sent().len();
            assert!(sent * 100 <= calls, "{sent}");
            assert!(longest <= TOTAL + MILLI, "{longest:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_comes_back_is_met_by_its_probes_then_by_a_ramp_and_rests_no_second_time() {
    let mut settings = UpstreamSettings::default();
    settings.breaker.max_open_ms = 10_000;
    let chain = Chain::new(Act::status(500), with_a_problem, &settings);
    chain.load(Duration::from_mins(1)).await;

    assert_eq!((chain.changes(0), chain.changes(1)), (vec![], vec![]));
    let changes = chain.changes(2);
    let closings = changes.iter().filter(|to| **to == State::Closed).count();
    assert_eq!(
        (closings, changes.last()),
        (1, Some(&State::Closed)),
        "{changes:?}"
    );

    let sent = chain.sent();
    let back = chain.began + OUTAGE;
    let back = sent.partition_point(|sent| sent.at < back);
    let (probes, ramp) = sent[back..].split_at(3);
    let closed_at = probes[2].at + ANSWER;
    assert!(ramp[0].at >= closed_at, "only the probes went out before");
    let seconds = ramp
        .chunk_by(|one, other| (one.at - closed_at).as_secs() == (other.at - closed_at).as_secs());
    let each_second: Vec<_> = seconds.map(<[Sent]>::len).take(11).collect();
    assert!(each_second.is_sorted(), "{each_second:?}");
    assert!(each_second[0] * 4 <= PER_SECOND, "{each_second:?}");
    assert!(each_second[10] * 100 >= PER_SECOND * 95, "{each_second:?}");
}
