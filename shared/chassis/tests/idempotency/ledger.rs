//! A service that keeps a ledger: each POST writes an entry, once per key.

use std::collections::BTreeMap;

use actix_web::web::{self, Data, ServiceConfig};
use lyceum_chassis::auth::{Caller, Revocations, UserKeys};
use lyceum_chassis::clock;
use lyceum_chassis::database::{Database, columns};
use lyceum_chassis::http::{Answer, ApiError, Body, Fields, FromFields, Id, Rule};
use lyceum_chassis::idempotency::{
    Begun, IdempotencyKey, IdempotencySettings, Keyed, KeyedError, Owner, migrations, pruner,
};
use lyceum_chassis::retention::Pruner;
use lyceum_chassis::server::{RunError, Server};
use lyceum_chassis::settings::{Environment, ServiceSettings, Settings, SettingsError};
use lyceum_chassis::{Chassis, Lifecycle, Service, StartupError};
use lyceum_contracts::ids::CourseId;
use lyceum_contracts::problem::ProblemKind;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::http::{Request, Response};
use lyceum_testing::identity::TestUsers;
use lyceum_testing::{TestApp, spawn_with};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, NotSet, QueryResult, Set, Statement};
use sea_orm_migration::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::openapi::{OpenApi, OpenApiBuilder};

pub(crate) struct Ledger {
    server: Server,
    pruner: Pruner,
}

/// A running ledger.
pub(crate) struct Office {
    pub(crate) app: TestApp,
    pub(crate) pruner: Pruner,
    users: TestUsers,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LedgerSettings {
    idempotency: IdempotencySettings,
    /// The public keys of the people who have a token.
    keys: String,
}

impl ServiceSettings for LedgerSettings {
    fn check(&self, _: Environment) -> Result<(), SettingsError> {
        self.idempotency.check()
    }
}

impl Service for Ledger {
    const NAME: &'static str = "ledger";
    const DEFAULTS: &'static str = "keys = \"\"\n[idempotency]\nkeep_s = 86_400";
    type Settings = LedgerSettings;
    type Migrator = Migrator;

    fn openapi() -> OpenApi {
        OpenApiBuilder::new().build()
    }

    async fn build(settings: Settings<LedgerSettings>) -> Result<Self, StartupError> {
        let chassis = Chassis::build::<Self>(&settings.platform).await?;
        let keys = UserKeys::own(&serde_json::from_str(&settings.service.keys).unwrap());
        let database = chassis.database.clone();
        let pruner = pruner(&database, settings.service.idempotency);
        let routes = move |config: &mut _| routes(config, &database);
        let revocations = Revocations::new();
        let server = chassis.into_server(&Self::openapi(), keys, revocations, Vec::new(), routes);
        Ok(Self { server, pruner })
    }

    fn server(&self) -> &Server {
        &self.server
    }

    async fn run(self, lifecycle: Lifecycle) -> Result<(), RunError> {
        self.server.run(lifecycle).await
    }
}

fn routes(config: &mut ServiceConfig, database: &Database) {
    config
        .app_data(Data::new(database.clone()))
        .route("/entries", web::post().to(write_entry))
        .route("/suggestions", web::post().to(write_suggestion))
        .route("/accounts/{id}/entries", web::post().to(write_to_account));
}

async fn write_entry(
    caller: Caller,
    key: IdempotencyKey,
    Body(entry): Body<NewEntry>,
    database: Data<Database>,
) -> Result<Answer, ApiError> {
    let owner = match caller {
        Caller::User(user) => Owner::from(user.id),
        Caller::Service(service) => Owner::from(service.name),
    };
    let keyed = key.of(owner, &entry)?;
    Ok(write(&database, keyed, entry).await?)
}

async fn write_suggestion(
    key: IdempotencyKey,
    Body(entry): Body<NewEntry>,
    database: Data<Database>,
) -> Result<Answer, ApiError> {
    let keyed = key.of(Owner::Anybody, &entry)?;
    Ok(write(&database, keyed, entry).await?)
}

async fn write_to_account(
    _: Id<CourseId>,
    key: IdempotencyKey,
    Body(entry): Body<NewEntry>,
    database: Data<Database>,
) -> Result<Answer, ApiError> {
    let keyed = key.of(Owner::Anybody, &entry)?;
    Ok(write(&database, keyed, entry).await?)
}

#[derive(Serialize)]
struct NewEntry {
    note: String,
    amount: i64,
}

#[derive(Debug, thiserror::Error)]
#[error("anything goes")]
struct Anything;

impl Rule for Anything {
    fn code(&self) -> &'static str {
        "anything"
    }
}

impl FromFields for NewEntry {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let note = fields.required("note", Ok::<String, Anything>);
        let amount = fields.required("amount", Ok::<i64, Anything>);
        Some(Self {
            note: note?,
            amount: amount?,
        })
    }
}

#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("the balance would be below zero")]
    Overdrawn,
    #[error(transparent)]
    Keyed(#[from] KeyedError),
}

impl From<DbErr> for WriteError {
    fn from(error: DbErr) -> Self {
        KeyedError::from(error).into()
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Overdrawn => Self::of(ProblemKind::Conflict),
            WriteError::Keyed(error) => error.into(),
        }
    }
}

impl From<entry::Model> for Answer {
    fn from(entry: entry::Model) -> Self {
        let body = json!({"id": entry.id, "note": entry.note, "amount": entry.amount});
        Self::created(format!("/entries/{}", entry.id), &body).version(1)
    }
}

/// The row is written before the balance is looked at, so that a refusal has something to undo.
async fn write(database: &Database, keyed: Keyed, entry: NewEntry) -> Result<Answer, WriteError> {
    let transaction = match keyed.begin(database, clock::now()).await? {
        Begun::First(transaction) => transaction,
        Begun::Again(answer) => return Ok(answer),
    };
    let row = entry::ActiveModel {
        id: NotSet,
        note: Set(entry.note),
        amount: Set(entry.amount),
    };
    let row = row.insert(&transaction).await?;
    if row.amount < 0 && balance(&transaction).await? < 0 {
        return Err(WriteError::Overdrawn);
    }
    Ok(transaction.commit(row).await?)
}

async fn balance(on: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let sql = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM entries";
    let statement = Statement::from_string(on.get_database_backend(), sql);
    let row = on.query_one_raw(statement).await?.unwrap();
    row.try_get_by_index(0)
}

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all: Vec<Box<dyn MigrationTrait>> = vec![Box::new(Entries)];
        all.extend(migrations());
        all
    }
}

struct Entries;

impl MigrationName for Entries {
    fn name(&self) -> &'static str {
        "m0001_entries"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Entries {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let entries = Table::create()
            .table("entries")
            .col(columns::id())
            .col(columns::text("note"))
            .col(columns::integer("amount"))
            .take();
        manager.create_table(entries).await
    }
}

mod entry {
    //! An entry; nothing but the key keeps two from being the same.
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "entries")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub(super) id: i64,
        pub(super) note: String,
        pub(super) amount: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl Office {
    pub(crate) fn open() -> Self {
        let users = TestUsers::new();
        let keys = users.jwks().to_string();
        let (app, pruner) = spawn_with::<Ledger, Pruner>(
            |settings| {
                settings.service.keys = keys;
                // More than the answer to it can hold.
                settings.platform.http.body_limit_bytes = 16 * 1024 * 1024;
            },
            |ledger| ledger.pruner.clone(),
        );
        Self { app, pruner, users }
    }

    pub(crate) fn token(&self, user: i64) -> String {
        self.users.student(user)
    }

    /// A POST of an entry, by whoever is added.
    pub(crate) fn post(&self, path: &str, note: &str, amount: i64) -> Request<'_> {
        let entry = json!({"note": note, "amount": amount});
        self.app.client().post(path).json(&entry)
    }

    /// Person 1 sends an entry under a key.
    pub(crate) async fn send(&self, key: &str, note: &str, amount: i64) -> Response {
        let request = self.post("/entries", note, amount);
        let request = request.bearer(self.token(1)).header("idempotency-key", key);
        request.send().await
    }

    /// How many entries there are with this note.
    pub(crate) async fn entries(&self, note: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) FROM entries WHERE note = '{note}'");
        count(self.app.database(), &sql).await
    }

    /// How many entries there are of each note.
    pub(crate) async fn effects(&self) -> BTreeMap<String, i64> {
        let database = self.app.database().connect().await;
        let sql = "SELECT note, COUNT(*) FROM entries GROUP BY note";
        let statement = Statement::from_string(database.get_database_backend(), sql);
        let rows = database.query_all_raw(statement).await.unwrap();
        let row = |row: QueryResult| {
            let note = row.try_get_by_index(0).unwrap();
            (note, row.try_get_by_index(1).unwrap())
        };
        rows.into_iter().map(row).collect()
    }

    /// How many keys are remembered.
    pub(crate) async fn keys(&self) -> i64 {
        count(self.app.database(), "SELECT COUNT(*) FROM idempotency_keys").await
    }
}

/// The one number a query answers with.
async fn count(database: &TestDatabase, sql: &str) -> i64 {
    let database = database.connect().await;
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}
