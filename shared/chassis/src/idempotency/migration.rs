//! The table of keys, for the migrator of each service that has keyed routes.

use sea_orm_migration::prelude::*;

use crate::database::columns;

/// To be appended to a service's own migrations.
pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Keys)]
}

struct Keys;

impl MigrationName for Keys {
    fn name(&self) -> &'static str {
        "lyceum_idempotency_0001_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Keys {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let keys = Table::create()
            .table("idempotency_keys")
            .col(columns::id())
            .col(columns::text("owner"))
            .col(columns::text("route"))
            .col(columns::text("key"))
            .col(columns::text("fingerprint"))
            .col(columns::optional_integer("status"))
            .col(columns::optional_text("location"))
            .col(columns::optional_text("etag"))
            .col(columns::optional_text("body"))
            .col(columns::timestamp("created_at"))
            .take();
        manager.create_table(keys).await?;
        // Decides who was first. Pruning goes by id, so there is no index on created_at.
        let once = columns::unique("idempotency_keys", &["owner", "route", "key"]);
        manager.create_index(once).await
    }
}
