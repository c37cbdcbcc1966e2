//! Calls at an even pace, whatever becomes of them, and a look at the services ten times a second.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use lyceum_client::Upstream;
use lyceum_contracts::header;
use lyceum_resilience::breaker::{Snapshot, State};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::record::{Answer, Call, DEADLINE, Phase, Record, Sight};
use crate::scene::Row;
use crate::services::Last;

/// Above 300 a second the floor of the budgets, 3 a second, is a hundredth.
pub(crate) const PER_SECOND: u32 = 400;
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// A caller of the first hop that is not answered by then counts as lost.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Load {
    http: reqwest::Client,
    url: String,
    clients: [Upstream; 2],
    last: Last,
    port: u16,
    begun: Instant,
    under_way: FuturesUnordered<BoxFuture<'static, Call>>,
    record: Record,
}

impl Load {
    #[expect(
        clippy::disallowed_methods,
        reason = "the caller of the first hop is none of ours"
    )]
    pub(crate) fn new(row: &Row) -> anyhow::Result<Self> {
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .timeout(PATIENCE)
            .build()?;
        Ok(Self {
            http,
            url: format!("http://{}/", row.first.address),
            clients: row.clients.clone(),
            last: row.last.clone(),
            port: row.port,
            begun: Instant::now(),
            under_way: FuturesUnordered::new(),
            record: Record::default(),
        })
    }

    /// Calls for as long as the phase lasts. What is still under way then goes on in the next.
    pub(crate) async fn run(&mut self, phase: Phase, length: Duration) {
        self.run_until(phase, length, |_| false).await;
    }

    /// Calls until no breaker holds any call back, and for `after` more, but no longer than `longest`.
    pub(crate) async fn run_until_open_to_all(&mut self, longest: Duration, after: Duration) {
        let mut since = None;
        let well = |sight: &Sight| {
            let passes = |breaker: &Snapshot| {
                breaker.state == State::Closed && breaker.ramping_percent.is_none()
            };
            let all = sight.breakers.iter().flatten().all(passes);
            since = all.then(|| since.unwrap_or(sight.at));
            since.is_some_and(|since| sight.at >= since + after)
        };
        self.run_until(Phase::Recovered, longest, well).await;
    }

    async fn run_until(
        &mut self,
        phase: Phase,
        longest: Duration,
        mut over: impl FnMut(&Sight) -> bool,
    ) {
        let ends = Instant::now() + longest;
        let mut calls = interval(Duration::from_secs(1) / PER_SECOND);
        calls.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut looks = interval(LOOK_EVERY);
        self.record.begin(phase, self.begun.elapsed());
        loop {
            tokio::select! {
                _ = calls.tick() => self.call(phase),
                Some(call) = self.under_way.next() => self.record.calls.push(call),
                _ = looks.tick() => {
                    self.look();
                    if self.record.sights.last().is_some_and(&mut over) {
                        break;
                    }
                }
                () = tokio::time::sleep_until(ends) => break,
            }
        }
        self.look();
    }

    /// Waits for what is still under way.
    pub(crate) async fn finish(mut self) -> Record {
        while let Some(call) = self.under_way.next().await {
            self.record.calls.push(call);
        }
        self.look();
        self.record
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the caller of the first hop is none of ours"
    )]
    fn call(&mut self, phase: Phase) {
        let deadline_ms = DEADLINE.as_millis().to_string();
        let request = self
            .http
            .get(&self.url)
            .header(header::DEADLINE_MS, deadline_ms);
        let at = self.begun.elapsed();
        let call = async move {
            let begun = Instant::now();
            let answer = match request.send().await {
                Ok(response) => {
                    let status = response.status().as_u16();
                    response
                        .bytes()
                        .await
                        .map_or(Answer::Lost, |_| Answer::Status(status))
                }
                Err(_) => Answer::Lost,
            };
            Call {
                phase,
                at,
                took: begun.elapsed(),
                answer,
            }
        };
        self.under_way.push(call.boxed());
    }

    fn look(&mut self) {
        let metrics = lyceum_telemetry::metrics_text();
        let sends = total(
            &metrics,
            "http_client_request_duration_seconds_count",
            &[("server_port", &self.port.to_string())],
        );
        let opened = |client: &Upstream| {
            let count = |endpoint: &str| {
                total(
                    &metrics,
                    "lyceum_client_breaker_transitions_total",
                    &[("endpoint", endpoint), ("to", "open")],
                )
            };
            client
                .breakers()
                .iter()
                .map(|report| count(&report.endpoint))
                .sum()
        };
        let breakers = |client: &Upstream| client.breakers().first().map(|report| report.breaker);
        self.record.sights.push(Sight {
            at: self.begun.elapsed(),
            sends,
            probes: self.last.probes.load(Relaxed),
            opened: [opened(&self.clients[0]), opened(&self.clients[1])],
            breakers: [breakers(&self.clients[0]), breakers(&self.clients[1])],
        });
    }
}

/// The sum of the samples of `name` that carry all `labels`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counters are whole numbers"
)]
fn total(metrics: &str, name: &str, labels: &[(&str, &str)]) -> u64 {
    let of_name = metrics.lines().filter_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix('{')?
            .rsplit_once("} ")
    });
    let carries = |text: &str| {
        labels
            .iter()
            .all(|(key, value)| text.contains(&format!("{key}=\"{value}\"")))
    };
    of_name
        .filter(|(text, _)| carries(text))
        .filter_map(|(_, value)| value.parse::<f64>().ok())
        .sum::<f64>() as u64
}
