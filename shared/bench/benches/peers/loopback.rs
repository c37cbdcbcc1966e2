//! GET over loopback: each contestant a process of its own, all of them on one server, in turns.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use lyceum_bench::race::{median, per_operation};
use lyceum_bench::server;
use lyceum_bench::table::Row;
use lyceum_client::{Identity, ServiceAuthSettings, Upstream, UpstreamSettings};
use lyceum_contracts::course::UserStats;
use lyceum_contracts::ids::UserId;
use lyceum_resilience::deadline::Deadline;
use lyceum_telemetry::{LogFormat, ServiceIdentity, Telemetry, TelemetrySettings};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_retry::RetryTransientMiddleware;
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_tracing::TracingMiddleware;
use tracing::Instrument;

/// The first argument of a process that is one contestant.
pub(crate) const CHILD: &str = "contestant";
/// Requests in one round of one contestant.
const REQUESTS: u32 = 2_000;
const ROUNDS: usize = 21;

/// By the word a process is told, and the line in the table.
const CONTESTANTS: [(&str, &str); 7] = [
    ("bare", "reqwest"),
    (
        "bare, unsampled",
        "reqwest, in a request whose trace is sampled out",
    ),
    (
        "middleware",
        "reqwest-middleware with retry and tracing, no subscriber",
    ),
    ("ours", "lyceum-client, no telemetry in the process"),
    (
        "ours, unsampled",
        "lyceum-client, everything on, trace sampled out",
    ),
    (
        "ours, root",
        "lyceum-client, everything on, outside any request, sampled out",
    ),
    (
        "ours, sampled",
        "lyceum-client, everything on, spans recorded and sent to a receiver",
    ),
];

pub(crate) fn race() -> Vec<Row> {
    let address = server::start().unwrap().to_string();
    let mut processes: Vec<Process> = CONTESTANTS
        .iter()
        .map(|(word, _)| Process::start(word, &address))
        .collect();
    for process in &mut processes {
        process.round();
    }
    let mut rounds = vec![Vec::with_capacity(ROUNDS); processes.len()];
    for round in 0..ROUNDS {
        for turn in 0..processes.len() {
            let at = (turn + round) % processes.len();
            rounds[at].push(processes[at].round());
        }
    }
    let row = |((_, name), rounds): (&(&str, &str), &Vec<Round>)| {
        let of = |what: fn(&Round) -> f64| median(rounds.iter().map(what).collect());
        Row {
            name: (*name).to_owned(),
            nanos: of(|round| round.p50),
            p99_nanos: Some(of(|round| round.p99)),
            allocations: of(|round| round.allocations),
        }
    };
    CONTESTANTS.iter().zip(&rounds).map(row).collect()
}

/// What one contestant did in one round.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// Nanoseconds.
    p50: f64,
    /// Nanoseconds.
    p99: f64,
    /// Per request.
    allocations: f64,
}

struct Process {
    child: Child,
    orders: ChildStdin,
    reports: BufReader<ChildStdout>,
}

impl Process {
    fn start(word: &str, address: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([CHILD, word, address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let reports = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            orders,
            reports,
        }
    }

    fn round(&mut self) -> Round {
        writeln!(self.orders, "go").unwrap();
        let mut line = String::new();
        self.reports.read_line(&mut line).unwrap();
        let mut figures = line
            .split_whitespace()
            .map(|figure| figure.parse().expect("a figure"));
        let mut next = || figures.next().expect("three figures");
        Round {
            p50: next(),
            p99: next(),
            allocations: next(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// One contestant: a round for each line it reads.
pub(crate) fn child(word: &str, address: &str) {
    let telemetry = match word {
        "bare, unsampled" | "ours, unsampled" | "ours, root" => Some(telemetry(address, 0.0)),
        "ours, sampled" => Some(telemetry(address, 1.0)),
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let contestant = Contestant::new(word, address);
    for _ in std::io::stdin().lines() {
        let request = if word == "ours, root" {
            tracing::Span::none()
        } else {
            tracing::info_span!("request")
        };
        let mut times = Vec::with_capacity(REQUESTS as usize);
        let requests = async {
            for _ in 0..REQUESTS {
                let begun = Instant::now();
                Deadline::scope(Deadline::after(Duration::from_secs(30)), contestant.ask()).await;
                times.push(begun.elapsed());
            }
        };
        let counted =
            allocation_counter::measure(|| runtime.block_on(requests.instrument(request)));
        times.sort_unstable();
        let nanos = |rank: usize| times[times.len() * rank / 100].as_secs_f64() * 1e9;
        println!(
            "{} {} {}",
            nanos(50),
            nanos(99),
            per_operation(counted.count_total, REQUESTS)
        );
    }
    if let Some(telemetry) = telemetry {
        telemetry.shutdown().ok();
    }
}

/// As a service sets it up; the receiver is the server of the benchmark, which says yes to all.
fn telemetry(address: &str, sample_ratio: f64) -> Telemetry {
    let identity = ServiceIdentity {
        name: "bench",
        version: "0",
        environment: "development".to_owned(),
    };
    let settings = TelemetrySettings {
        otlp_endpoint: Some(format!("http://{address}")),
        sample_ratio,
        log_format: LogFormat::Json,
        log_filter: "info".to_owned(),
        export_interval_ms: 1_000,
        export_timeout_ms: 1_000,
    };
    lyceum_telemetry::init(&identity, &settings).unwrap()
}

enum Contestant {
    Bare(reqwest::Client, String),
    Middleware(ClientWithMiddleware, String),
    Ours(Upstream, UserId),
}

impl Contestant {
    #[expect(clippy::disallowed_methods, reason = "what ours is compared with")]
    fn new(word: &str, address: &str) -> Self {
        if word.starts_with("ours") {
            let secrets = vec!["a secret of the benchmark, 32 bytes!".to_owned().into()];
            let identity = Identity::new("user", &ServiceAuthSettings { secrets }).unwrap();
            let settings = UpstreamSettings {
                base_url: format!("http://{address}"),
                ..UpstreamSettings::default()
            };
            return Self::Ours(
                Upstream::new("course", &settings, &identity).unwrap(),
                UserId::try_from(7).unwrap(),
            );
        }
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let bare = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .build()
            .unwrap();
        let url = format!("http://{address}/users/7/stats");
        if word != "middleware" {
            return Self::Bare(bare, url);
        }
        let once = ExponentialBackoff::builder().build_with_max_retries(1);
        let stack = ClientBuilder::new(bare)
            .with(TracingMiddleware::default())
            .with(RetryTransientMiddleware::new_with_policy(once))
            .build();
        Self::Middleware(stack, url)
    }

    #[expect(clippy::disallowed_methods, reason = "what ours is compared with")]
    async fn ask(&self) -> UserStats {
        match self {
            Self::Bare(http, url) => http.get(url).send().await.unwrap().json().await.unwrap(),
            Self::Middleware(http, url) => {
                http.get(url).send().await.unwrap().json().await.unwrap()
            }
            Self::Ours(courses, user) => {
                let path = format!("/users/{user}/stats");
                courses.get("course.stats_of", path).json().await.unwrap()
            }
        }
    }
}
