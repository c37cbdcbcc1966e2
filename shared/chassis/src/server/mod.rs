//! The two listeners of a service: how they answer, and how they stop.
//!
//! | module | what |
//! |---|---|
//! | `answer` | request ids, security headers, problems for every failure |
//! | `guard` | the request's deadline, panics, a schema that is not there yet |
//! | `health`, `operations` | what operators ask |
//! | `pages` | which pages of other hosts may call |
//! | `listen`, `lasting` | connections, and those whose answer lasts |
//! | `unread` | peers that take nothing |
//! | `documentation` | `OpenAPI`, the page to browse it, the explanation of each problem |

mod answer;
mod documentation;
mod guard;
mod health;
mod lasting;
mod listen;
mod operations;
mod pages;
mod run;
mod unread;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use actix_web::middleware::{Condition, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpServer};
use lyceum_client::Upstream;
use lyceum_telemetry::server::RequestTelemetry;

pub(crate) use self::documentation::Documentation;
pub use self::lasting::{Inbound, last};
pub use self::run::RunError;
use crate::auth::Authenticator;
use crate::database::Database;
use crate::http::BodyLimit;
use crate::lifecycle::Lifecycle;
use crate::settings::PlatformSettings;
use crate::tasks::TaskSet;

/// Paths that are asked every second by machines; they leave no span.
const PROBES: &[&str] = &[
    "/health",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/internal/revocations",
];

/// What a server is made of.
pub(crate) struct Parts {
    pub name: &'static str,
    pub settings: PlatformSettings,
    pub database: Database,
    pub tasks: TaskSet,
    pub authenticator: Authenticator,
    pub upstreams: Vec<Upstream>,
    pub docs: Documentation,
}

/// Starts the API listener; boxed because each service brings a closure of its own.
type StartApi =
    Box<dyn FnOnce(&Parts, TcpListener, &Lifecycle) -> io::Result<actix_web::dev::Server> + Send>;

/// A bound service that does not answer yet; see [`Server::run`].
pub struct Server {
    parts: Parts,
    api: TcpListener,
    operations: TcpListener,
    start_api: StartApi,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.parts.name)
            .field("port", &self.port())
            .field("operations_port", &self.operations_port())
            .finish_non_exhaustive()
    }
}

impl Server {
    pub(crate) fn new(
        parts: Parts,
        api: TcpListener,
        operations: TcpListener,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        Self {
            parts,
            api,
            operations,
            start_api: Box::new(move |parts, listener, lifecycle| {
                start_api(parts, listener, lifecycle, routes)
            }),
        }
    }

    /// Port of the API listener.
    pub fn port(&self) -> u16 {
        port(&self.api)
    }

    /// Port of the operations listener.
    pub fn operations_port(&self) -> u16 {
        port(&self.operations)
    }

    /// The owner of the background tasks.
    pub fn tasks(&self) -> &TaskSet {
        &self.parts.tasks
    }
}

fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().map_or(0, |address| address.port())
}

fn start_api(
    parts: &Parts,
    listener: TcpListener,
    lifecycle: &Lifecycle,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> io::Result<actix_web::dev::Server> {
    let http = parts.settings.http.clone();
    let authenticator = web::Data::new(parts.authenticator.clone());
    let documentation = parts.docs.clone();
    let limits = guard::Limits {
        request_timeout: http.request_timeout(),
    };
    let workers = match http.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers,
    };
    let draining = web::Data::new(lifecycle.clone());
    let limits = web::Data::new(limits);
    let proxies = web::Data::new(http.trusted_proxies.clone());
    let origins = web::Data::new(pages::AllowedOrigins(http.allowed_origins.clone()));
    let schema = web::Data::new(guard::Schema::new(parts.database.clone()));
    // Otherwise the start has migrated, or there would be no listener.
    let may_lack_tables = !parts.settings.database.migrate_on_start;
    let drain_seconds = run::drain_seconds(&parts.settings);
    listen::listen(
        listener,
        &parts.settings.http,
        workers,
        drain_seconds,
        move || {
            let routes = routes.clone();
            App::new()
                .app_data(authenticator.clone())
                .app_data(BodyLimit(http.body_limit_bytes))
                .app_data(limits.clone())
                .app_data(proxies.clone())
                .app_data(origins.clone())
                .app_data(schema.clone())
                .app_data(draining.clone())
                .service(web::resource("/health").route(web::get().to(health::is_up)))
                .configure(|config| documentation.configure(config))
                .configure(routes)
                // The last one wrapped is the first one called.
                .wrap(Condition::new(may_lack_tables, from_fn(guard::migrated)))
                .wrap(from_fn(guard::panics))
                .wrap(from_fn(guard::deadline))
                .wrap(from_fn(answer::finish))
                .wrap(RequestTelemetry::new().without(PROBES))
        },
    )
}

fn start_operations(
    parts: &Parts,
    listener: TcpListener,
    lifecycle: &Lifecycle,
) -> io::Result<actix_web::dev::Server> {
    let draining = web::Data::new(lifecycle.clone());
    let state = web::Data::from(Arc::new(operations::Operations {
        database: parts.database.clone(),
        tasks: parts.tasks.clone(),
        upstreams: parts.upstreams.clone(),
        settings: parts.settings.clone(),
        lifecycle: lifecycle.clone(),
    }));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .app_data(draining.clone())
            .configure(operations::configure)
            .wrap(from_fn(guard::panics))
            .wrap(from_fn(answer::finish))
            .wrap(RequestTelemetry::new().without(PROBES))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .listen(listener)?
    .run();
    Ok(server)
}
