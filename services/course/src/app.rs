//! Builds the service: the one door for production, for tests and for the all-in-one.

use lyceum_chassis::auth::{Revocations, UserKeys};
use lyceum_chassis::idempotency;
use lyceum_chassis::server::{RunError, Server};
use lyceum_chassis::settings::Settings;
use lyceum_chassis::{Chassis, Lifecycle, Service, StartupError};
use lyceum_client::{NotificationClient, UserClient};
use lyceum_outbox::Relay;
use utoipa::OpenApi;

use crate::migration::Migrator;
use crate::openapi::Description;
use crate::people::People;
use crate::routes;
use crate::settings::CourseSettings;
use crate::state::State;

/// The course service, built and bound; it answers once it runs.
#[derive(Debug)]
pub struct App {
    server: Server,
    relay: Relay,
}

impl Service for App {
    const NAME: &'static str = "course";
    const DEFAULTS: &'static str = include_str!("../default.toml");
    type Settings = CourseSettings;
    type Migrator = Migrator;

    fn openapi() -> utoipa::openapi::OpenApi {
        Description::openapi()
    }

    async fn build(settings: Settings<CourseSettings>) -> Result<Self, StartupError> {
        let chassis = Chassis::build::<Self>(&settings.platform).await?;
        let service = settings.service;
        let users = UserClient::new(&service.upstreams.user, &chassis.identity)?;
        let notifications =
            NotificationClient::new(&service.upstreams.notification, &chassis.identity)?;
        let upstreams = vec![users.upstream().clone(), notifications.upstream().clone()];

        let keys = UserKeys::remote(users.clone());
        chassis.tasks.spawn("access token keys", {
            let keys = keys.clone();
            move |stop| keys.clone().keep_fresh(stop)
        });
        let revocations = Revocations::new();
        chassis.tasks.spawn("revocations", {
            let (revocations, users) = (revocations.clone(), users.clone());
            move |stop| revocations.clone().follow(users.clone(), stop)
        });
        let relay = Relay::new(chassis.database.clone(), notifications, &service.outbox);
        if service.outbox.relay {
            let relay = relay.clone();
            chassis
                .tasks
                .spawn("outbox relay", move |stop| relay.clone().run(stop));
        }
        chassis.prune(idempotency::pruner(&chassis.database, service.idempotency));

        let state = State {
            database: chassis.database.clone(),
            people: People::new(users, &service.people),
            outbox: relay.waker(),
        };
        let server = chassis.into_server(
            &Self::openapi(),
            keys,
            revocations,
            upstreams,
            move |config| {
                routes::configure(config, &state);
            },
        );
        Ok(Self { server, relay })
    }

    fn server(&self) -> &Server {
        &self.server
    }

    async fn run(self, lifecycle: Lifecycle) -> Result<(), RunError> {
        self.server.run(lifecycle).await
    }
}

impl App {
    /// Tells what was promised; tests turn `outbox.relay` off and drive it by hand.
    pub fn relay(&self) -> &Relay {
        &self.relay
    }
}
