//! The table of events that have had their effect.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

/// To be appended to the migrations of a service that takes events in.
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(ProcessedEvents)]
}

struct ProcessedEvents;

impl MigrationName for ProcessedEvents {
    fn name(&self) -> &'static str {
        "lyceum_intake_0001_processed_events"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ProcessedEvents {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let processed = Table::create()
            .table("processed_events")
            .col(columns::text("event_id").primary_key())
            .col(columns::timestamp("processed_at"))
            .take();
        manager.create_table(processed).await
    }
}
