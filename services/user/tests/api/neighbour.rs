//! Another service of the platform, which knows the user service by its address alone.

use actix_web::{HttpResponse, web};
use lyceum_chassis::auth::{CurrentUser, Revocations, UserKeys};
use lyceum_chassis::server::{RunError, Server};
use lyceum_chassis::settings::{Environment, ServiceSettings, Settings, SettingsError};
use lyceum_chassis::{Chassis, Lifecycle, Service, StartupError};
use lyceum_client::{UpstreamSettings, UserClient};
use lyceum_testing::http::Response;
use lyceum_testing::spawn::{TestApp, spawn};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use serde::{Deserialize, Serialize};
use utoipa::openapi::{OpenApi, OpenApiBuilder};

use crate::platform::Platform;

struct Neighbour(Server);

#[derive(Clone, Deserialize, Serialize)]
struct Address {
    users: String,
}

impl ServiceSettings for Address {
    fn check(&self, _: Environment) -> Result<(), SettingsError> {
        Ok(())
    }
}

struct NoTables;

impl MigratorTrait for NoTables {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Vec::new()
    }
}

impl Service for Neighbour {
    const NAME: &'static str = "neighbour";
    const DEFAULTS: &'static str = "users = \"\"";
    type Settings = Address;
    type Migrator = NoTables;

    fn openapi() -> OpenApi {
        OpenApiBuilder::new().build()
    }

    async fn build(settings: Settings<Address>) -> Result<Self, StartupError> {
        let chassis = Chassis::build::<Self>(&settings.platform).await?;
        let address = UpstreamSettings {
            base_url: settings.service.users,
            ..UpstreamSettings::default()
        };
        let users = UserClient::new(&address, &chassis.identity)?;
        let keys = UserKeys::remote(users);
        let fresh = keys.clone();
        chassis.tasks.spawn("access token keys", move |stop| {
            fresh.clone().keep_fresh(stop)
        });
        let routes = |config: &mut web::ServiceConfig| {
            config.route("/me", web::get().to(show_me));
        };
        let revocations = Revocations::new();
        let server = chassis.into_server(&Self::openapi(), keys, revocations, Vec::new(), routes);
        Ok(Self(server))
    }

    fn server(&self) -> &Server {
        &self.0
    }

    async fn run(self, lifecycle: Lifecycle) -> Result<(), RunError> {
        self.0.run(lifecycle).await
    }
}

async fn show_me(_: CurrentUser) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Starts one next to a user service.
pub(crate) fn next_to(platform: &Platform) -> TestApp {
    let users = platform.app.base_url().to_owned();
    spawn::<Neighbour>(|settings| settings.service.users = users)
}

/// Shows it an access token.
pub(crate) async fn shows(neighbour: &TestApp, token: &str) -> Response {
    neighbour.client().get("/me").bearer(token).send().await
}
