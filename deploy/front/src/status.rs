//! How every part of the stack is doing, asked from here and now.
//!
//! An answer counts for two seconds, so that it does not matter how many pages are open.

use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::address::replicas;
use crate::http::Http;
use crate::services::{Addresses, Service};

/// For one answer: a part that takes longer is of no use to anybody who waits for it.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How long an answer counts: under the five that a page waits, so that each of its looks is new.
const FRESH: Duration = Duration::from_secs(2);

/// How a part is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Every replica is ready.
    Up,
    /// Some replicas are ready.
    Partly,
    /// None is.
    Down,
    /// Not there, and does not have to be.
    Off,
}

impl State {
    /// As it is written on the page.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Partly => "partly",
            Self::Down => "down",
            Self::Off => "off",
        }
    }
}

/// One part of the stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Its name in the stack.
    pub name: &'static str,
    /// How it is doing.
    pub state: State,
    /// More of it, in a few words.
    pub detail: String,
}

/// What else is asked, and where.
#[derive(clap::Args, Clone, Debug)]
pub struct Tools {
    /// Health of the collector
    #[arg(
        long = "collector",
        env = "FRONT_COLLECTOR",
        value_name = "URL",
        default_value = "http://collector:13133/"
    )]
    pub collector: String,
    /// Page of the trace viewer
    #[arg(
        long = "traces",
        env = "FRONT_TRACES",
        value_name = "URL",
        default_value = "http://jaeger:16686/"
    )]
    pub traces: String,
    /// Readiness of the mail catcher
    #[arg(
        long = "mail",
        env = "FRONT_MAIL",
        value_name = "URL",
        default_value = "http://mailpit:8025/readyz"
    )]
    pub mail: String,
    /// Readiness of Prometheus, which may be off
    #[arg(
        long = "prometheus",
        env = "FRONT_PROMETHEUS",
        value_name = "URL",
        default_value = "http://prometheus:9090/-/ready"
    )]
    pub prometheus: String,
    /// Health of Grafana, which may be off
    #[arg(
        long = "grafana",
        env = "FRONT_GRAFANA",
        value_name = "URL",
        default_value = "http://grafana:3000/api/health"
    )]
    pub grafana: String,
}

/// Asks and remembers for a moment.
#[derive(Debug)]
pub struct Checks {
    http: Http,
    operations: Addresses,
    tools: Tools,
    last: Mutex<Option<(Instant, Vec<Part>)>>,
}

impl Checks {
    /// Of the services with their operations at `operations`, and of the `tools` around them.
    pub fn new(http: Http, operations: Addresses, tools: Tools) -> Self {
        Self {
            http,
            operations,
            tools,
            last: Mutex::default(),
        }
    }

    /// Every part, in the order of the page.
    pub async fn parts(&self) -> Vec<Part> {
        let mut last = self.last.lock().await;
        match &*last {
            Some((at, parts)) if at.elapsed() < FRESH => parts.clone(),
            _ => {
                let parts = self.ask_all().await;
                *last = Some((Instant::now(), parts.clone()));
                parts
            }
        }
    }

    async fn ask_all(&self) -> Vec<Part> {
        let services = join_all(Service::ALL.map(|service| self.service(service)));
        let tools = &self.tools;
        let tools = join_all([
            self.tool("collector", &tools.collector, State::Down),
            self.tool("traces", &tools.traces, State::Down),
            self.tool("mail", &tools.mail, State::Down),
            self.tool("prometheus", &tools.prometheus, State::Off),
            self.tool("grafana", &tools.grafana, State::Off),
        ]);
        let (mut parts, tools) = tokio::join!(services, tools);
        parts.extend(tools);
        parts
    }

    async fn service(&self, service: Service) -> Part {
        let replicas = replicas(self.operations.of(service)).await;
        let answers = join_all(replicas.iter().map(|base_url| async move {
            let url = format!("{base_url}/health/ready");
            self.status_of(&url).await
        }));
        let (state, detail) = sum_up(&answers.await);
        Part {
            name: service.name(),
            state,
            detail,
        }
    }

    async fn tool(&self, name: &'static str, url: &str, otherwise: State) -> Part {
        let (state, detail) = match self.status_of(url).await {
            // A page may lead on to another one.
            Some(200..400) => (State::Up, "answers".to_owned()),
            Some(status) => (State::Down, format!("answers {status}")),
            None if otherwise == State::Off => {
                let start = "docker compose --profile metrics up -d";
                (State::Off, format!("start it with: {start}"))
            }
            None => (otherwise, "no answer".to_owned()),
        };
        Part {
            name,
            state,
            detail,
        }
    }

    async fn status_of(&self, url: &str) -> Option<u16> {
        let answer = tokio::time::timeout(TIMEOUT, self.http.get(url)).await;
        Some(answer.ok()?.ok()?.status)
    }
}

/// What the answers of all replicas of one service come to.
fn sum_up(answers: &[Option<u16>]) -> (State, String) {
    let all = answers.len();
    let ready = answers
        .iter()
        .filter(|answer| **answer == Some(200))
        .count();
    match (ready, all) {
        (0, 0) => (State::Down, "nobody has this name".to_owned()),
        (0, 1) => match answers[0] {
            Some(status) => (State::Down, format!("not ready, answers {status}")),
            None => (State::Down, "no answer".to_owned()),
        },
        (1, 1) => (State::Up, "ready".to_owned()),
        (0, _) => (State::Down, format!("none of {all} replicas is ready")),
        _ if ready == all => (State::Up, format!("{all} replicas ready")),
        _ => (State::Partly, format!("{ready} of {all} replicas ready")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_as_good_as_its_replicas() {
        let sums = [
            (&[][..], State::Down, "nobody has this name"),
            (&[None], State::Down, "no answer"),
            (&[Some(503)], State::Down, "not ready, answers 503"),
            (&[Some(200)], State::Up, "ready"),
            (&[Some(200), Some(200)], State::Up, "2 replicas ready"),
            (&[Some(200), None], State::Partly, "1 of 2 replicas ready"),
            (
                &[Some(503), None],
                State::Down,
                "none of 2 replicas is ready",
            ),
        ];
        for (answers, state, detail) in sums {
            assert_eq!(sum_up(answers), (state, detail.to_owned()));
        }
    }
}
