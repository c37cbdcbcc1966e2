//! Builds the service: the one door for production, tests and the all-in-one.

use lyceum_chassis::auth::Revocations;
use lyceum_chassis::cli::ServiceCommand;
use lyceum_chassis::idempotency;
use lyceum_chassis::lifecycle::Lifecycle;
use lyceum_chassis::server::{RunError, Server};
use lyceum_chassis::settings::Settings;
use lyceum_chassis::{Chassis, Service, StartupError};
use lyceum_client::{CourseClient, NotificationClient};
use lyceum_outbox::Relay;
use utoipa::OpenApi;
use utoipa::openapi;

use crate::accounts::{self, FirstAdmin};
use crate::announcements::Announce;
use crate::audit;
use crate::import::Import;
use crate::jobs::{self, Kinds, Runner};
use crate::keys::{self, Feed, Issuer};
use crate::limits::Limits;
use crate::links;
use crate::migration::Migrator;
use crate::openapi::Description;
use crate::password::Hasher;
use crate::routes;
use crate::sessions;
use crate::settings::UserSettings;
use crate::state::State;

/// The user service, bound and ready to run.
#[derive(Debug)]
pub struct App {
    server: Server,
    relay: Relay,
    course_relay: Relay,
    jobs: Runner,
}

impl App {
    /// The relay of events to the notification service, for tests that drive it by hand.
    pub fn relay(&self) -> &Relay {
        &self.relay
    }

    /// The relay of events to the course service.
    pub fn course_relay(&self) -> &Relay {
        &self.course_relay
    }

    /// What works on this service's jobs, for tests that drive it by hand.
    pub fn jobs(&self) -> &Runner {
        &self.jobs
    }
}

impl Service for App {
    const NAME: &'static str = "user";
    const DEFAULTS: &'static str = include_str!("../default.toml");
    type Settings = UserSettings;
    type Migrator = Migrator;

    fn openapi() -> openapi::OpenApi {
        Description::openapi()
    }

    fn commands() -> Vec<ServiceCommand<Self>> {
        vec![
            accounts::create_admin::command(),
            keys::rotate_keys::command(),
        ]
    }

    async fn build(settings: Settings<UserSettings>) -> Result<Self, StartupError> {
        let Settings { platform, service } = settings;
        let chassis = Chassis::build::<Self>(&platform).await?;
        let courses = CourseClient::new(&service.upstreams.course, &chassis.identity)?;
        let notifications =
            NotificationClient::new(&service.upstreams.notification, &chassis.identity)?;
        let upstreams = vec![courses.upstream().clone(), notifications.upstream().clone()];
        let relay = Relay::new(
            chassis.database.clone(),
            notifications.clone(),
            &service.outbox,
        );
        let course_relay = Relay::new(chassis.database.clone(), courses.clone(), &service.outbox);
        let revocations = Revocations::new();
        let feed = Feed::new(chassis.database.clone(), revocations.clone());
        let issuer = Issuer::new(service.tokens.key()?, service.tokens.access_lifetime());
        let keeper = keys::Keeper::new(chassis.database.clone(), issuer.clone());
        if chassis.database.ready().await.is_ok() {
            feed.catch_up().await;
            keeper.catch_up().await;
        }
        let outbox = relay.waker().and(course_relay.waker());
        let kinds = Kinds {
            import: Import,
            announce: Announce {
                at_once: service.announcements.at_once,
            },
        };
        let jobs = Runner::new(
            chassis.database.clone(),
            outbox.clone(),
            kinds,
            &service.jobs,
        );
        let state = State {
            database: chassis.database.clone(),
            hasher: Hasher::new(&service.passwords),
            limits: Limits::new(service.limits),
            issuer: issuer.clone(),
            sessions: service.tokens.policy(),
            revocations: feed.clone(),
            outbox,
            jobs: jobs.bell(),
            import_lines: service.import.max_lines,
            courses,
            notifications,
        };
        make_first_admin(&chassis, &state, &service).await?;
        if service.outbox.relay {
            let relay = relay.clone();
            chassis
                .tasks
                .spawn("outbox relay", move |stop| relay.clone().run(stop));
            let relay = course_relay.clone();
            chassis.tasks.spawn("outbox relay to course", move |stop| {
                relay.clone().run(stop)
            });
        }
        chassis
            .tasks
            .spawn("revocations", move |stop| feed.clone().run(stop));
        chassis
            .tasks
            .spawn("signing keys", move |stop| keeper.clone().run(stop));
        if service.jobs.run {
            let jobs = jobs.clone();
            chassis
                .tasks
                .spawn("jobs", move |stop| jobs.clone().run(stop));
        }
        let database = &chassis.database;
        chassis.prune(jobs::pruner(database, &service.jobs));
        chassis.prune(idempotency::pruner(database, service.idempotency));
        chassis.prune(audit::pruner(database, service.audit));
        chassis.prune(links::pruner(database));
        chassis.prune(sessions::pruner(database));
        chassis.prune(accounts::eraser(database, service.accounts.erase_after()));
        let keys = issuer.verifying_keys();
        let routes = move |config: &mut _| routes::configure(config, &state);
        let server = chassis.into_server(&Self::openapi(), keys, revocations, upstreams, routes);
        Ok(Self {
            server,
            relay,
            course_relay,
            jobs,
        })
    }

    fn server(&self) -> &Server {
        &self.server
    }

    async fn run(self, lifecycle: Lifecycle) -> Result<(), RunError> {
        self.server.run(lifecycle).await
    }
}

/// Makes the first admin; later, when the tables are still to be made by `migrate`.
async fn make_first_admin(
    chassis: &Chassis,
    state: &State,
    settings: &UserSettings,
) -> Result<(), StartupError> {
    let Some(admin) = FirstAdmin::parse(&settings.admin)? else {
        return Ok(());
    };
    if let Err(reason) = state.database.ready().await {
        tracing::warn!(event = "admin.not_made", %reason, "the first admin is made later");
        let state = state.clone();
        chassis.tasks.spawn("first admin", move |stop| {
            let made = accounts::ensure_later(state.clone(), admin.clone());
            async move {
                stop.run_until_cancelled(made).await;
                // A task that returns unasked is started again.
                stop.cancelled().await;
            }
        });
        return Ok(());
    }
    accounts::ensure(state, admin)
        .await
        .map_err(|error| StartupError::Service(format!("cannot make the first admin: {error}")))
}
