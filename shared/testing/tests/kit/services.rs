//! A service of four lines, spawned as the real ones are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use actix_web::{HttpResponse, web};
use lyceum_chassis::auth::{Revocations, ServiceCaller, UserKeys};
use lyceum_chassis::server::{RunError, Server};
use lyceum_chassis::settings::{Environment, ServiceSettings, Settings, SettingsError};
use lyceum_chassis::{Chassis, Lifecycle, Service, StartupError};
use lyceum_testing::{PATIENCE, spawn, spawn_with};
use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};
use serde::{Deserialize, Serialize};
use utoipa::openapi::OpenApi;

/// Long enough for a request to arrive, too short for an answer that never comes.
const SOON: Duration = Duration::from_millis(50);

struct Greeter {
    server: Server,
    greeting: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct GreeterSettings {
    greeter: Words,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Words {
    greeting: String,
}

impl ServiceSettings for GreeterSettings {
    fn check(&self, _: Environment) -> Result<(), SettingsError> {
        Ok(())
    }
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateGuests)]
    }
}

struct CreateGuests;

impl MigrationName for CreateGuests {
    fn name(&self) -> &'static str {
        "create_guests"
    }
}

#[async_trait]
impl MigrationTrait for CreateGuests {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let guests = "CREATE TABLE guests (name varchar(80) PRIMARY KEY)";
        manager.get_connection().execute_unprepared(guests).await?;
        Ok(())
    }
}

impl Service for Greeter {
    const NAME: &'static str = "greeter";
    const DEFAULTS: &'static str = "[greeter]\ngreeting = \"hello\"";
    type Settings = GreeterSettings;
    type Migrator = Migrator;

    fn openapi() -> OpenApi {
        OpenApi::default()
    }

    async fn build(settings: Settings<GreeterSettings>) -> Result<Self, StartupError> {
        let chassis = Chassis::build::<Self>(&settings.platform).await?;
        let Words { greeting } = settings.service.greeter;
        let words = greeting.clone();
        let keys = UserKeys::own(&jsonwebtoken::jwk::JwkSet { keys: Vec::new() });
        let server = chassis.into_server(
            &Self::openapi(),
            keys,
            Revocations::new(),
            Vec::new(),
            move |config| {
                let words = words.clone();
                let greet = move || std::future::ready(HttpResponse::Ok().body(words.clone()));
                config.route("/greeting", web::get().to(greet));
                let name = |caller: ServiceCaller| async move { caller.name.to_string() };
                let never = || std::future::pending::<HttpResponse>();
                config.route("/never", web::get().to(never));
                config.route("/internal/caller", web::get().to(name));
            },
        );
        Ok(Self { server, greeting })
    }

    fn server(&self) -> &Server {
        &self.server
    }

    async fn run(self, lifecycle: Lifecycle) -> Result<(), RunError> {
        assert_ne!(self.greeting, "goodbye", "a greeter does not part");
        self.server.run(lifecycle).await
    }
}

#[tokio::test]
async fn a_spawned_service_answers_on_both_ports() {
    let app = spawn::<Greeter>(|_| {});
    assert_eq!(app.client().get("/greeting").send().await.text(), "hello");
    let ready = app.operations().get("/health/ready").send().await;
    assert_eq!(ready.status, 200, "{}", ready.text());
    assert_ne!(app.base_url(), app.operations_url());
}

#[tokio::test]
async fn settings_are_changed_and_handles_taken_out_before_it_runs() {
    let change = |settings: &mut Settings<GreeterSettings>| {
        settings.service.greeter.greeting = "salve".to_owned();
    };
    let (app, greeting) = spawn_with::<Greeter, String>(change, |greeter| greeter.greeting.clone());
    assert_eq!(greeting, "salve");
    assert_eq!(app.client().get("/greeting").send().await.text(), "salve");
}

#[tokio::test]
async fn two_services_share_nothing() {
    let (one, two) = (spawn::<Greeter>(|_| {}), spawn::<Greeter>(|_| {}));
    assert_ne!(one.base_url(), two.base_url());
    assert_ne!(one.database().url(), two.database().url());
    let (one, two) = (
        one.database().connect().await,
        two.database().connect().await,
    );
    let ada = "INSERT INTO guests VALUES ('ada')";
    assert!(one.execute_unprepared(ada).await.is_ok());
    assert!(
        one.execute_unprepared(ada).await.is_err(),
        "ada is here already"
    );
    assert!(two.execute_unprepared(ada).await.is_ok());
}

#[tokio::test]
async fn a_peer_is_known_by_its_token() {
    let app = spawn::<Greeter>(|_| {});
    let request = app.client().get("/internal/caller");
    let answer = request.clone().bearer(app.token_of("course")).send().await;
    assert_eq!(answer.expect(200).text(), "course");
    assert_eq!(request.send().await.expect(401).problem().status, 401);
}

#[tokio::test]
async fn a_dropped_service_is_gone() {
    let app = spawn::<Greeter>(|_| {});
    let client = app.client().clone();
    client.get("/greeting").send().await.expect(200);
    drop(app);
    assert!(client.get("/greeting").try_send().await.is_err());
}

#[tokio::test]
async fn a_dropped_service_does_not_wait_for_a_caller_that_has_gone() {
    let app = spawn::<Greeter>(|_| {});
    let gone = tokio::time::timeout(SOON, app.client().get("/never").send());
    assert!(gone.await.is_err());
    let dropped = Instant::now();
    drop(app);
    assert!(dropped.elapsed() < PATIENCE / 4, "{:?}", dropped.elapsed());
}

#[tokio::test]
async fn a_service_can_be_ended_while_the_test_goes_on() {
    let app = spawn::<Greeter>(|_| {});
    app.lifecycle().stop();
    app.ended(PATIENCE).await;
    assert!(app.client().get("/greeting").try_send().await.is_err());
}

#[test]
fn a_service_that_cannot_start_fails_the_test_with_its_reason() {
    let refused = catch_unwind(|| {
        spawn::<Greeter>(|settings| settings.platform.database.url = "mysql://h/x".into())
    });
    assert!(words_of(refused).contains("greeter does not start: "));
}

#[test]
fn a_panic_of_the_service_fails_the_test() {
    let app = spawn::<Greeter>(|settings| settings.service.greeter.greeting = "goodbye".to_owned());
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(app)));
    assert!(words_of(dropped).contains("a greeter does not part"));
}

fn words_of<T>(outcome: std::thread::Result<T>) -> String {
    let panic = outcome
        .err()
        .map(|panic| panic.downcast_ref::<String>().cloned());
    panic.flatten().unwrap_or_default()
}
