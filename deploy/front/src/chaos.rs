//! `lyceum-front chaos`: while it runs, every call between services may go wrong.
//!
//! Every upstream of every replica gets a fault that would end by itself soon and is renewed well
//! before: killed, this leaves nothing behind for long; asked to end, it takes the faults away.
//! Which upstreams there are, the services say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use hyper::Request;
use lyceum_contracts::problem::Problem;
use serde::{Deserialize, Serialize};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::address::replicas;
use crate::http::{Answer, Http, HttpError};
use crate::services::{Addresses, Service};

/// Renewals before a fault would end by itself; all but one of them may fail.
const RENEWALS: u32 = 3;

/// For one request to the operations of a service.
const TIMEOUT: Duration = Duration::from_secs(2);

/// What happens to calls.
#[derive(Clone, Debug, Serialize)]
pub struct Fault {
    /// Share of attempts, 0 to 1.
    pub ratio: f64,
    /// How much later these attempts leave.
    pub latency_ms: u64,
    /// What they are answered instead of being made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether their connection is reset; not together with `status`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// When it ends by itself, unless renewed.
    pub for_ms: u64,
}

/// As much of a service's report as is needed here.
#[derive(Deserialize)]
struct Upstream {
    upstream: String,
}

/// All faults that were set, and how each address was last seen.
struct Chaos<'a> {
    http: &'a Http,
    fault: &'a Fault,
    operations: &'a Addresses,
    set: BTreeSet<String>,
    seen: BTreeMap<String, Result<(), String>>,
}

/// Keeps the fault up until `stop`, then takes it away.
pub async fn run(http: &Http, operations: &Addresses, fault: &Fault, stop: &CancellationToken) {
    let mut chaos = Chaos {
        http,
        fault,
        operations,
        set: BTreeSet::new(),
        seen: BTreeMap::new(),
    };
    let mut tick = tokio::time::interval(Duration::from_millis(fault.for_ms) / RENEWALS);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(tick.tick()).await.is_some() {
        chaos.renew(stop).await;
    }
    chaos.end().await;
}

impl Chaos<'_> {
    /// Once over all replicas of all services, which may be others than before. Ends early at
    /// `stop`, but never in the middle of a `PUT`: one that nobody waits for any more could be
    /// handled after the `DELETE`, and its fault would stay.
    async fn renew(&mut self, stop: &CancellationToken) {
        let services = join_all(Service::ALL.map(|service| replicas(self.operations.of(service))));
        let Some(services) = stop.run_until_cancelled(services).await else {
            return;
        };
        for (service, found) in Service::ALL.into_iter().zip(services) {
            if found.is_empty() {
                let away = Err("nobody has this name".to_owned());
                self.tell(self.operations.of(service).to_owned(), away);
            }
            for base_url in found {
                let asked = self.upstreams(&base_url);
                let Some(known) = stop.run_until_cancelled(asked).await else {
                    return;
                };
                match known {
                    Err(reason) => self.tell(base_url, Err(reason)),
                    Ok(upstreams) => {
                        for url in upstreams {
                            if stop.is_cancelled() {
                                return;
                            }
                            // Before it is known: a lost answer may have been a yes.
                            self.set.insert(url.clone());
                            let outcome = self.put(&url).await;
                            self.tell(url, outcome);
                        }
                    }
                }
            }
        }
    }

    async fn end(self) {
        let http = self.http;
        let removed = join_all(self.set.iter().map(|url| async move {
            let answer = in_time(http.send(Request::delete(url), None::<&()>)).await;
            answer.is_ok_and(|answer| answer.status == 204)
        }));
        let removed = removed.await.into_iter().filter(|removed| *removed).count();
        let left = self.set.len() - removed;
        tracing::info!(
            event = "chaos.ended",
            removed,
            left,
            "faults that are left end by themselves"
        );
    }

    /// Where the faults of one replica are set.
    async fn upstreams(&self, base_url: &str) -> Result<Vec<String>, String> {
        let url = format!("{base_url}/debug/faults");
        let answer = in_time(self.http.get(&url)).await?;
        if answer.status != 200 {
            return Err(refusal(&answer));
        }
        let upstreams: Vec<Upstream> = answer.json().map_err(|error| error.to_string())?;
        let urls = upstreams
            .iter()
            .map(|known| format!("{url}/{}", known.upstream));
        Ok(urls.collect())
    }

    async fn put(&self, url: &str) -> Result<(), String> {
        let request = self.http.send(Request::put(url), Some(self.fault));
        match in_time(request).await? {
            answer if answer.status == 200 => Ok(()),
            answer => Err(refusal(&answer)),
        }
    }

    /// Logs what differs from what was last seen there.
    fn tell(&mut self, url: String, outcome: Result<(), String>) {
        if self.seen.get(&url) == Some(&outcome) {
            return;
        }
        match &outcome {
            Ok(()) => tracing::info!(event = "chaos.set", url, "calls may go wrong"),
            Err(reason) => tracing::warn!(event = "chaos.failed", url, reason, "trying again"),
        }
        self.seen.insert(url, outcome);
    }
}

async fn in_time(
    exchange: impl Future<Output = Result<Answer, HttpError>>,
) -> Result<Answer, String> {
    let answer = tokio::time::timeout(TIMEOUT, exchange).await;
    let answer = answer.map_err(|_| format!("no answer in {} s", TIMEOUT.as_secs()))?;
    answer.map_err(|error| error.to_string())
}

/// In words that stay the same as long as the reason does.
fn refusal(answer: &Answer) -> String {
    let problem: Option<Problem> = answer.json().ok();
    let why = problem.and_then(|problem| problem.detail.or(Some(problem.title)));
    format!("answers {} {}", answer.status, why.unwrap_or_default())
}
