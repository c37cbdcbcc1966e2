//! The three services: two that ask the next one, and one that works, hangs or is not there.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::{self, Data, Json, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, Responder};
use lyceum_client::{ClientError, Identity, ServiceAuthSettings, Upstream, UpstreamSettings};
use lyceum_contracts::header;
use lyceum_resilience::breaker::State;
use lyceum_resilience::deadline::Deadline;
use lyceum_telemetry::{LogFormat, ServiceIdentity, Telemetry, TelemetrySettings};
use serde_json::Value;
use tokio::sync::watch;

/// Time without a deadline of the caller's, as the chassis grants it.
const GRANTED: Duration = Duration::from_secs(30);

/// Metrics and ids, as in production; nothing is exported and nothing logged.
pub(crate) fn telemetry() -> anyhow::Result<Telemetry> {
    let identity = ServiceIdentity {
        name: "outage",
        version: "0",
        environment: "development".to_owned(),
    };
    let settings = TelemetrySettings {
        otlp_endpoint: None,
        sample_ratio: 0.0,
        log_format: LogFormat::Json,
        log_filter: "off".to_owned(),
        export_interval_ms: 1_000,
        export_timeout_ms: 1_000,
    };
    Ok(lyceum_telemetry::init(&identity, &settings)?)
}

/// A client with the settings every upstream has unless somebody says otherwise.
pub(crate) fn client(name: &'static str, peer: SocketAddr) -> anyhow::Result<Upstream> {
    let secrets = vec!["a secret of the outage, of 32 bytes!".to_owned().into()];
    let identity = Identity::new("outage", &ServiceAuthSettings { secrets })?;
    let settings = UpstreamSettings {
        base_url: format!("http://{peer}"),
        ..UpstreamSettings::default()
    };
    Ok(Upstream::new(name, &settings, &identity)?)
}

/// A server under way. Dropping the handle leaves it running.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    handle: ServerHandle,
}

impl Running {
    /// Closes the listener and every connection.
    pub(crate) async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

/// A service that passes on what `next` says.
pub(crate) fn relay(next: Upstream) -> anyhow::Result<Running> {
    serve(0, move |config| {
        config
            .app_data(Data::new(next.clone()))
            .default_service(web::to(pass_on));
    })
}

async fn pass_on(request: HttpRequest, next: Data<Upstream>) -> HttpResponse {
    let granted = request.headers().get(header::DEADLINE_MS);
    let granted = granted.and_then(|value| value.to_str().ok()?.parse().ok());
    let deadline = Deadline::after(granted.map_or(GRANTED, Duration::from_millis));
    let answer = next.get("outage.ask", "/").json::<Value>();
    match Deadline::scope(deadline, answer).await {
        Ok(answer) => HttpResponse::Ok().json(answer),
        Err(error) => refuse(&error),
    }
}

/// As the chassis answers for a peer that a handler cannot do without.
fn refuse(error: &ClientError) -> HttpResponse {
    let (problem, retry_after) = error.to_problem();
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    if let Some(wait) = retry_after {
        response.insert_header((RETRY_AFTER, wait.as_secs().max(1).to_string()));
    }
    response
        .content_type("application/problem+json")
        .json(problem)
}

/// What the last service is told to do, and what it saw.
#[derive(Clone)]
pub(crate) struct Last {
    hanging: watch::Receiver<bool>,
    /// The client it is called through.
    caller: Upstream,
    /// Requests that came in while the caller's breaker was half-open.
    pub(crate) probes: Arc<AtomicU64>,
}

impl Last {
    pub(crate) fn new(hanging: watch::Receiver<bool>, caller: Upstream) -> Self {
        Self {
            hanging,
            caller,
            probes: Arc::default(),
        }
    }

    /// Serves on a port that was served before, or was never.
    pub(crate) fn start(&self, port: u16) -> anyhow::Result<Running> {
        let this = self.clone();
        serve(port, move |config| {
            config
                .app_data(Data::new(this.clone()))
                .default_service(web::to(answer));
        })
    }
}

async fn answer(last: Data<Last>) -> impl Responder {
    let breakers = last.caller.breakers();
    if breakers
        .iter()
        .any(|report| report.breaker.state == State::HalfOpen)
    {
        last.probes.fetch_add(1, Relaxed);
    }
    // Ends with an error when nobody is left who could change it, which is an answer too.
    last.hanging.clone().wait_for(|hanging| !hanging).await.ok();
    Json(serde_json::json!({"fine": true}))
}

/// One worker on a thread of its own, with the chassis' rule for callers that have gone.
fn serve(
    port: u16,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> anyhow::Result<Running> {
    let listener = listen(port)?;
    let address = listener.local_addr()?;
    let server = HttpServer::new(move || App::new().configure(routes.clone()))
        .workers(1)
        .h1_allow_half_closed(false)
        .disable_signals()
        .listen(listener)?
        .run();
    let handle = server.handle();
    thread::Builder::new()
        .name(format!("server-{}", address.port()))
        .spawn(move || actix_web::rt::System::new().block_on(server))?;
    Ok(Running { address, handle })
}

/// Takes the port again although connections of before still linger.
fn listen(port: u16) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
