//! What the chassis asks of a service, and the parts it hands to one.

use std::future::Future;
use std::io;
use std::net::{IpAddr, TcpListener};

use actix_web::web::ServiceConfig;
use futures_util::future::join_all;
use lyceum_client::{Identity, Upstream};
use sea_orm_migration::MigratorTrait;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

use crate::auth::{Authenticator, Revocations, UserKeys};
use crate::cli::ServiceCommand;
use crate::database::{Database, DatabaseError};
use crate::lifecycle::Lifecycle;
use crate::retention::Pruner;
use crate::server::{Documentation, RunError, Server};
use crate::settings::{PlatformSettings, ServiceSettings, Settings, SettingsError};
use crate::tasks::TaskSet;

/// A service: one door for production, for tests and for the all-in-one.
pub trait Service: Sized + Send + 'static {
    /// Short name: `service.name` in telemetry, `iss` and `aud` of service tokens.
    const NAME: &'static str;
    /// The service's `default.toml`, embedded.
    const DEFAULTS: &'static str;
    /// The service's own sections of the settings.
    type Settings: ServiceSettings;
    /// The migrations of the service's database.
    type Migrator: MigratorTrait;

    /// The description served at `/openapi.json`.
    fn openapi() -> OpenApi;

    /// Subcommands of this service alone; the name of one that every service has is not theirs.
    fn commands() -> Vec<ServiceCommand<Self>> {
        Vec::new()
    }

    /// Connects, migrates, binds and wires; nothing is answered before [`Self::run`].
    ///
    /// # Errors
    /// One clear line for the person who started it.
    fn build(
        settings: Settings<Self::Settings>,
    ) -> impl Future<Output = Result<Self, StartupError>> + Send;

    /// The bound server, to read ports from.
    fn server(&self) -> &Server;

    /// Answers until the lifecycle ends; see [`Server::run`].
    ///
    /// # Errors
    /// When the end was not a clean one.
    fn run(self, lifecycle: Lifecycle) -> impl Future<Output = Result<(), RunError>> + Send;
}

/// Why a service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A setting of an upstream is wrong.
    #[error(transparent)]
    Upstream(#[from] lyceum_client::SettingsError),
    /// The database cannot be reached or migrated.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A port is taken, or the address is not this machine's.
    #[error("cannot listen on {host}:{port} (setting `{key}`): {source}")]
    Listen {
        /// The setting to change.
        key: &'static str,
        /// The address asked for.
        host: IpAddr,
        /// The port asked for.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// Anything a service itself needs before it can answer.
    #[error("{0}")]
    Service(String),
}

/// What every service stands on, built in one call.
#[derive(Debug)]
pub struct Chassis {
    /// The service's own database, migrated.
    pub database: Database,
    /// Owner of the background tasks, on the runtime that built it.
    pub tasks: TaskSet,
    /// How this service names itself to its peers.
    pub identity: Identity,
    settings: PlatformSettings,
    name: &'static str,
    api: TcpListener,
    operations: TcpListener,
}

impl Chassis {
    /// Binds both listeners, connects the database and migrates it when told to.
    ///
    /// # Errors
    /// [`StartupError`] names the setting to look at.
    pub async fn build<S: Service>(settings: &PlatformSettings) -> Result<Self, StartupError> {
        let http = &settings.http;
        let api = listen("http.port", http.host, http.port)?;
        let operations = &settings.operations;
        let operations = listen("operations.port", operations.host, operations.port)?;
        let database = Database::connect::<S::Migrator>(S::NAME, &settings.database).await?;
        let tasks = TaskSet::new();
        let kept = database.clone();
        tasks.spawn("kept connections", move |stop| kept.clone().tidy(stop));
        Ok(Self {
            database,
            tasks,
            identity: Identity::new(S::NAME, &settings.service_auth)?,
            settings: settings.clone(),
            name: S::NAME,
            api,
            operations,
        })
    }

    /// Deletes what is over for as long as the service runs, if that is left to this process
    /// (setting `database.prune`).
    pub fn prune(&self, pruner: Pruner) {
        if self.settings.database.prune {
            self.tasks
                .spawn(pruner.rows(), move |stop| pruner.clone().run(stop));
        }
    }

    /// Puts the routes on the bound listeners.
    ///
    /// `users` and `revocations` decide together which access tokens count. `upstreams` are looked after: shown to operators, and their addresses kept up with. `routes`
    /// is called once per worker.
    pub fn into_server(
        self,
        docs: &OpenApi,
        users: UserKeys,
        revocations: Revocations,
        upstreams: Vec<Upstream>,
        routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    ) -> Server {
        if !upstreams.is_empty() {
            let upstreams = upstreams.clone();
            self.tasks
                .spawn("peer addresses", move |stop| watch(upstreams.clone(), stop));
        }
        let authenticator =
            Authenticator::new(users, revocations, self.identity, self.settings.auth);
        Server::new(
            crate::server::Parts {
                name: self.name,
                settings: self.settings,
                database: self.database,
                tasks: self.tasks,
                authenticator,
                upstreams,
                docs: Documentation::new(docs),
            },
            self.api,
            self.operations,
            routes,
        )
    }
}

/// Keeps up with the addresses of all peers until it is told to stop.
async fn watch(upstreams: Vec<Upstream>, stop: CancellationToken) {
    let watched = join_all(upstreams.iter().map(Upstream::watch));
    stop.run_until_cancelled(watched).await;
}

fn listen(key: &'static str, host: IpAddr, port: u16) -> Result<TcpListener, StartupError> {
    TcpListener::bind((host, port)).map_err(|source| StartupError::Listen {
        key,
        host,
        port,
        source,
    })
}
