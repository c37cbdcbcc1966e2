//! A service with one room, to see what the chassis alone does.

use std::sync::OnceLock;

use actix_web::guard::fn_guard;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, Responder};
use lyceum_chassis::auth::{
    Caller, CurrentUser, Permission, Require, Revocations, ServiceCaller, UserKeys,
};
use lyceum_chassis::http::{
    ApiError, Body, Fields, FromFields, Id, IfMatch, NoBody, Query, Rule, Window, etag, page,
};
use lyceum_chassis::server::{RunError, Server};
use lyceum_chassis::settings::{Environment, ServiceSettings, Settings, SettingsError};
use lyceum_chassis::{Chassis, Lifecycle, Service, StartupError};
use lyceum_client::{CourseClient, UpstreamSettings};
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_contracts::problem::ProblemKind;
use lyceum_contracts::role::Role;
use lyceum_testing::identity::TestUsers;
use lyceum_testing::{TestApp, spawn};
use sea_orm_migration::{MigrationTrait, MigratorTrait};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::{OpenApi, OpenApiBuilder};

/// People whose tokens the bakery accepts.
pub(crate) fn users() -> &'static TestUsers {
    static USERS: OnceLock<TestUsers> = OnceLock::new();
    USERS.get_or_init(TestUsers::new)
}

/// A bakery as it is.
pub(crate) fn open() -> TestApp {
    spawn::<Bakery>(|_| ())
}

pub(crate) struct Bakery {
    server: Server,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoSettings {}

impl ServiceSettings for NoSettings {
    fn check(&self, _: Environment) -> Result<(), SettingsError> {
        Ok(())
    }
}

pub(crate) struct NoMigrations;

impl MigratorTrait for NoMigrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        Vec::new()
    }
}

impl Service for Bakery {
    const NAME: &'static str = "bakery";
    const DEFAULTS: &'static str = "";
    type Settings = NoSettings;
    type Migrator = NoMigrations;

    fn openapi() -> OpenApi {
        OpenApiBuilder::new().build()
    }

    async fn build(settings: Settings<NoSettings>) -> Result<Self, StartupError> {
        let chassis = Chassis::build::<Self>(&settings.platform).await?;
        chassis
            .tasks
            .spawn("oven", CancellationToken::cancelled_owned);
        let jwks = serde_json::from_value(users().jwks()).unwrap();
        let keys = UserKeys::own(&jwks);
        // A port nobody listens on.
        let peer = UpstreamSettings {
            base_url: "http://127.0.0.1:1".to_owned(),
            ..UpstreamSettings::default()
        };
        let courses = CourseClient::new(&peer, &chassis.identity)?;
        let upstreams = vec![courses.upstream().clone()];
        let server = chassis.into_server(
            &Self::openapi(),
            keys,
            Revocations::new(),
            upstreams,
            move |config| {
                config.app_data(web::Data::new(courses.clone()));
                routes(config);
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

fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/loaves")
                .route(web::get().to(list_loaves))
                .route(web::post().to(bake_loaf)),
        )
        .service(
            web::resource("/loaves/{id}")
                .route(web::get().to(get_loaf))
                .route(web::patch().to(change_loaf)),
        )
        .route("/bell", web::post().to(ring_bell))
        .route("/fire", web::get().to(catch_fire))
        .service(
            web::resource("/smoke")
                .guard(fn_guard(|_| see_fire()))
                .to(catch_fire),
        )
        .route("/dough", web::get().to(rise_for_ever))
        .route("/bread", web::get().to(bake_bread))
        .route("/me", web::get().to(show_me))
        .route("/anybody", web::get().to(show_anybody))
        .route("/internal/flour", web::get().to(show_service))
        .route("/kitchen", web::get().to(enter_kitchen))
        .route("/regulars", web::get().to(count_regulars))
        .route("/mouldy", web::get().to(fail_with_cause))
        .configure(crate::lasting::routes);
}

struct NewLoaf {
    name: String,
    grams: u16,
}

#[derive(Debug, thiserror::Error)]
#[error("must have 1 to 20 characters")]
struct NameLength;

impl Rule for NameLength {
    fn code(&self) -> &'static str {
        "length"
    }
}

impl FromFields for NewLoaf {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.required("name", |name: String| {
            if (1..=20).contains(&name.chars().count()) {
                Ok(name)
            } else {
                Err(NameLength)
            }
        });
        let grams = fields.required("grams", Ok::<u16, NameLength>);
        Some(Self {
            name: name?,
            grams: grams?,
        })
    }
}

async fn bake_loaf(Body(loaf): Body<NewLoaf>) -> impl Responder {
    HttpResponse::Created().json(serde_json::json!({"name": loaf.name, "grams": loaf.grams}))
}

async fn list_loaves(request: HttpRequest, Query(window): Query<Window>) -> HttpResponse {
    let first = window.after.unwrap_or(0) + 1 + i64::try_from(window.skip).unwrap();
    let rows = (first..=250)
        .take(usize::try_from(window.rows()).unwrap())
        .collect();
    page(&request, window, rows, |id| *id, |id| id)
}

async fn get_loaf(Id(id): Id<CourseId>) -> impl Responder {
    HttpResponse::Ok().insert_header(etag(7)).json(id)
}

async fn change_loaf(_: Id<CourseId>, seen: IfMatch) -> Result<HttpResponse, ApiError> {
    seen.check(7)?;
    Ok(HttpResponse::NoContent().finish())
}

async fn ring_bell(_: NoBody) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

#[expect(clippy::panic, reason = "this is what the test is about")]
async fn catch_fire() -> HttpResponse {
    panic!("the secret recipe burns")
}

#[expect(clippy::panic, reason = "this is what the test is about")]
fn see_fire() -> bool {
    panic!("before there is a handler")
}

/// Dough has begun to rise.
pub(crate) static RISING: Notify = Notify::const_new();

async fn rise_for_ever() -> HttpResponse {
    RISING.notify_one();
    std::future::pending().await
}

/// Bread is in the oven.
pub(crate) static BAKING: Notify = Notify::const_new();
/// It may come out.
pub(crate) static DONE: Notify = Notify::const_new();

async fn bake_bread() -> HttpResponse {
    BAKING.notify_one();
    DONE.notified().await;
    HttpResponse::Ok().body("bread")
}

async fn show_me(user: CurrentUser) -> impl Responder {
    web::Json(user.id)
}

async fn show_anybody(caller: Caller) -> &'static str {
    match caller {
        Caller::User(_) => "a person",
        Caller::Service(_) => "a service",
    }
}

async fn show_service(service: ServiceCaller) -> String {
    service.name.to_string()
}

#[derive(Debug)]
struct Bake;

impl Permission for Bake {
    const ROLES: &'static [Role] = &[Role::Instructor, Role::Admin];
}

async fn enter_kitchen(_: Require<Bake>) -> HttpResponse {
    HttpResponse::NoContent().finish()
}

async fn count_regulars(courses: web::Data<CourseClient>) -> Result<HttpResponse, ApiError> {
    let stats = courses.stats_of(UserId::try_from(1).unwrap()).await?;
    Ok(HttpResponse::Ok().json(stats.value))
}

async fn fail_with_cause() -> Result<HttpResponse, ApiError> {
    Err(ApiError::of(ProblemKind::InternalError).cause(anyhow::anyhow!("SELECT flour FROM cellar")))
}
