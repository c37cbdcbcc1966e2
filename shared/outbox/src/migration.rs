//! The tables of the outbox, for the migrator of each service that has one.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

/// To be appended to a service's own migrations.
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(Tables),
        Box::new(Destinations),
        Box::new(NoEventIndex),
    ]
}

struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "lyceum_outbox_0001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let waiting = Table::create()
            .table("outbox")
            .col(columns::id())
            .col(columns::text("event_id"))
            .col(columns::text("kind"))
            .col(columns::json("payload"))
            .col(columns::optional_text("traceparent"))
            .col(columns::timestamp("occurred_at"))
            .col(columns::timestamp("available_at"))
            .col(columns::integer("attempts"))
            .take();
        manager.create_table(waiting).await?;
        // No index on available_at: the table is nearly empty, and in an outage its head is due.
        manager
            .create_index(columns::unique("outbox", &["event_id"]))
            .await?;

        let dead = Table::create()
            .table("outbox_dead")
            .col(columns::integer("id").primary_key())
            .col(columns::text("event_id"))
            .col(columns::text("kind"))
            .col(columns::json("payload"))
            .col(columns::optional_text("traceparent"))
            .col(columns::timestamp("occurred_at"))
            .col(columns::integer("attempts"))
            .col(columns::text("reason"))
            .col(columns::timestamp("died_at"))
            .take();
        manager.create_table(dead).await
    }
}

/// Until here everything was for the notification service, and an event had one row.
struct Destinations;

impl MigrationName for Destinations {
    fn name(&self) -> &'static str {
        "lyceum_outbox_0002_destinations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Destinations {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["outbox", "outbox_dead"] {
            let destination = columns::text("destination").default("notification").take();
            let table = Table::alter().table(table).add_column(destination).take();
            manager.alter_table(table).await?;
        }
        let one_row = Index::drop()
            .name("outbox_event_id_key")
            .table("outbox")
            .to_owned();
        manager.drop_index(one_row).await?;
        manager
            .create_index(columns::unique("outbox", &["event_id", "destination"]))
            .await
    }
}

/// Nobody looks for a row by its event, and an id that is made anew for each event needs no judge:
/// the index was a third of what it costs to write a row.
struct NoEventIndex;

impl MigrationName for NoEventIndex {
    fn name(&self) -> &'static str {
        "lyceum_outbox_0003_no_event_index"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for NoEventIndex {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop()
            .name("outbox_event_id_destination_key")
            .table("outbox")
            .to_owned();
        manager.drop_index(index).await
    }
}
