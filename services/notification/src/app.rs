//! Builds the service and runs it: the one door for production, tests and the all-in-one.

use lyceum_chassis::auth::{Revocations, UserKeys};
use lyceum_chassis::database::Engine;
use lyceum_chassis::idempotency;
use lyceum_chassis::server::{RunError, Server};
use lyceum_chassis::settings::{Environment, Secret, Settings};
use lyceum_chassis::{Chassis, Lifecycle, Service, StartupError};
use lyceum_client::{CourseClient, UserClient};
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;

use crate::broadcasts::Crier;
use crate::live::courses::{self, Members};
use crate::live::replicas::News;
use crate::live::{Hub, replicas, tickets, worker};
use crate::mail::Sender;
use crate::migration::Migrator;
use crate::openapi::Description;
use crate::page::Page;
use crate::presence::{self, Changes, Keeper, PresenceSettings};
use crate::settings::{LiveSettings, NotificationSettings};
use crate::state::State;
use crate::webhooks::Courier;
use crate::{events, inbox, routes};

/// The notification service, built but not answering yet.
#[derive(Debug)]
pub struct App {
    server: Server,
}

impl Service for App {
    const NAME: &'static str = "notification";
    const DEFAULTS: &'static str = include_str!("../default.toml");
    type Settings = NotificationSettings;
    type Migrator = Migrator;

    fn openapi() -> OpenApi {
        Description::openapi()
    }

    async fn build(settings: Settings<NotificationSettings>) -> Result<Self, StartupError> {
        let Settings { platform, service } = settings;
        let chassis = Chassis::build::<Self>(&platform).await?;
        let users = UserClient::new(&service.upstreams.user, &chassis.identity)?;
        let courses = CourseClient::new(&service.upstreams.course, &chassis.identity)?;
        let upstreams = vec![users.upstream().clone(), courses.upstream().clone()];
        let keys = UserKeys::remote(users.clone());
        let revocations = Revocations::new();
        let live = service.live;
        let database = &chassis.database;
        let sender = Sender::new(database.clone(), users.clone(), &service.mail)?;
        let courier = Courier::new(database.clone(), Self::NAME, &service.webhooks);
        let is_shared = live.listen && database.engine() == Engine::Postgres;
        let news = is_shared.then(News::default);
        let changes = service.presence.run.then(Changes::default);
        let hub = Hub::new(live.limits(), news.clone(), changes.clone());
        let crier = Crier::new(
            database.clone(),
            hub.clone(),
            users.clone(),
            courses.clone(),
            service.broadcasts,
        );
        let state = State {
            database: database.clone(),
            hub,
            members: Members::new(courses, service.courses),
            mails: sender.mails(),
            webhooks: courier.webhooks(),
            broadcasts: crier.broadcasts(),
            revocations: revocations.clone(),
            pace: live.pace(),
            patience: live.patience(),
            allowed_origins: live.allowed_origins.clone().into(),
        };
        chassis.tasks.spawn("access token keys", {
            let keys = keys.clone();
            move |stop| keys.clone().keep_fresh(stop)
        });
        chassis.tasks.spawn("revocations", {
            let revocations = revocations.clone();
            move |stop| revocations.clone().follow(users.clone(), stop)
        });
        follow_others(&chassis, &state, live, news, platform.database.url);
        keep_presence(&chassis, &state, changes, service.presence);
        sender.start(&chassis);
        courier.start(&chassis);
        crier.start(&chassis);
        chassis.prune(tickets::pruner(database));
        chassis.prune(courses::pruner(database, service.courses));
        chassis.prune(inbox::retention::notifications(database, service.inbox));
        chassis.prune(inbox::retention::changes(database, service.inbox));
        chassis.prune(events::retention::pruner(database, service.events));
        chassis.prune(idempotency::pruner(database, service.idempotency));
        let is_production = platform.environment == Environment::Production;
        let page = (!is_production).then(|| Page::new(&service.page));
        let server = chassis.into_server(
            &Self::openapi(),
            keys,
            revocations,
            upstreams,
            move |config| {
                routes::configure(config, &state);
                if let Some(page) = &page {
                    page.configure(config);
                }
            },
        );
        Ok(Self { server })
    }

    fn server(&self) -> &Server {
        &self.server
    }

    async fn run(self, lifecycle: Lifecycle) -> Result<(), RunError> {
        self.server.run(lifecycle).await
    }
}

/// Starts what writes down who is on the streams of this process, if it is to be, and takes away
/// what killed processes have left behind.
fn keep_presence(
    chassis: &Chassis,
    state: &State,
    changes: Option<Changes>,
    settings: PresenceSettings,
) {
    chassis.prune(presence::pruner(&chassis.database, settings));
    if let Some(changes) = changes {
        let (database, hub) = (state.database.clone(), state.hub.clone());
        let keeper = Keeper::new(database, hub, changes, settings);
        let tasks = &chassis.tasks;
        tasks.spawn("presence", move |stop| keeper.clone().run(stop));
    }
}

/// Starts what tells this process of notifications that others have written, and others of ours,
/// and of people who have left a course.
fn follow_others(
    chassis: &Chassis,
    state: &State,
    live: LiveSettings,
    news: Option<News>,
    database_url: Secret,
) {
    let tasks = &chassis.tasks;
    let (hub, members) = (state.hub.clone(), state.members.clone());
    tasks.spawn("members of courses", move |stop| {
        members.clone().watch(hub.clone(), stop)
    });
    if live.sweep {
        let (hub, database) = (state.hub.clone(), state.database.clone());
        let every = live.sweep_every();
        tasks.spawn("live sweep", move |stop| {
            worker::sweep(hub.clone(), database.clone(), every, stop)
        });
    }
    if let Some(news) = news {
        let database = state.database.clone();
        tasks.spawn("live news", move |stop| {
            news.clone().tell(database.clone(), stop)
        });
        let (hub, database) = (state.hub.clone(), state.database.clone());
        let url = if live.listen_url.expose().is_empty() {
            database_url
        } else {
            live.listen_url
        };
        tasks.spawn("live listener", move |stop| {
            replicas::listen(hub.clone(), database.clone(), url.clone(), stop)
        });
    }
}
