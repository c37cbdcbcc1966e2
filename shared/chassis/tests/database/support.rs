//! A database per test with a small schema: topics, and notes that belong to one.

use lyceum_chassis::database::{Database, DatabaseSettings, Engine, columns};
use lyceum_chassis::settings::Secret;
use lyceum_testing::database::TestDatabase;
use sea_orm::{ConnectionTrait, DbErr, Statement, TryGetable};
use sea_orm_migration::prelude::*;

/// Settings of the chassis' defaults, but for what makes tests quick.
pub(crate) fn settings(url: &str) -> DatabaseSettings {
    DatabaseSettings {
        url: Secret::from(url),
        max_connections: 8,
        min_connections: 0,
        acquire_timeout_ms: 10_000,
        connect_timeout_ms: 10_000,
        max_lifetime_s: 3_600,
        idle_timeout_s: 600,
        check_after_idle_ms: 5_000,
        statement_timeout_ms: 30_000,
        migrate_on_start: true,
        prune: true,
    }
}

/// A migrated database, and what deletes it.
pub(crate) async fn database() -> (Database, TestDatabase) {
    let place = TestDatabase::create();
    let database = connect(&settings(place.url())).await;
    (database, place)
}

pub(crate) async fn connect(settings: &DatabaseSettings) -> Database {
    Database::connect::<Migrator>("test", settings)
        .await
        .unwrap()
}

/// The first column of the only row.
pub(crate) async fn scalar<T: TryGetable>(on: &impl ConnectionTrait, sql: &str) -> T {
    let statement = Statement::from_string(on.get_database_backend(), sql);
    let row = on.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// The one place where the tests themselves need a word per engine.
pub(crate) fn per_engine<T>(database: &Database, sqlite: T, postgres: T) -> T {
    match database.engine() {
        Engine::Sqlite => sqlite,
        Engine::Postgres => postgres,
    }
}

pub(crate) struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Topics), Box::new(Notes)]
    }
}

struct Topics;

impl MigrationName for Topics {
    fn name(&self) -> &'static str {
        "m0001_topics"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Topics {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let topics = Table::create()
            .table("topics")
            .col(columns::id())
            .col(columns::text("name"))
            .take();
        manager.create_table(topics).await?;
        manager
            .create_index(columns::unique("topics", &["name"]))
            .await
    }
}

struct Notes;

impl MigrationName for Notes {
    fn name(&self) -> &'static str {
        "m0002_notes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Notes {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut position = columns::integer("position");
        position.check(("notes_position_check", Expr::col("position").gt(0)));
        let notes = Table::create()
            .table("notes")
            .col(columns::integer("topic_id"))
            .col(position)
            .col(columns::text("body"))
            .col(columns::timestamp("written_at"))
            .col(columns::optional_timestamp("read_at"))
            .primary_key(Index::create().col("topic_id").col("position"))
            .foreign_key(&mut columns::foreign_key(
                "notes",
                "topic_id",
                "topics",
                ForeignKeyAction::Restrict,
            ))
            .take();
        manager.create_table(notes).await?;
        let unique = columns::unique("notes", &["topic_id", "body"]);
        manager.create_index(unique).await?;
        manager
            .create_index(columns::index("notes", &["written_at"]))
            .await
    }
}

pub(crate) mod note {
    //! A note.
    use sea_orm::entity::prelude::*;
    use time::OffsetDateTime;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notes")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) topic_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) position: i64,
        pub(crate) body: String,
        pub(crate) written_at: OffsetDateTime,
        pub(crate) read_at: Option<OffsetDateTime>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod topic {
    //! A topic.
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "topics")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        pub(crate) name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Adds a topic; its id.
pub(crate) async fn insert_topic(on: &impl ConnectionTrait, name: &str) -> Result<i64, DbErr> {
    use sea_orm::{ActiveModelTrait, ActiveValue::Set, NotSet};
    let topic = topic::ActiveModel {
        id: NotSet,
        name: Set(name.to_owned()),
    };
    Ok(topic.insert(on).await?.id)
}

/// Adds a note.
pub(crate) async fn insert_note(
    on: &impl ConnectionTrait,
    note: note::Model,
) -> Result<note::Model, DbErr> {
    use sea_orm::{ActiveModelTrait, IntoActiveModel};
    note.into_active_model().reset_all().insert(on).await
}

/// The first note of a topic.
pub(crate) fn first_note(topic_id: i64) -> note::Model {
    note::Model {
        topic_id,
        position: 1,
        body: "begin".to_owned(),
        written_at: time::macros::datetime!(2026-01-02 03:04:05 UTC),
        read_at: None,
    }
}
