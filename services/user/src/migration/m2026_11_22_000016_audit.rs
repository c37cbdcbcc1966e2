//! Security events.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let entries = Table::create()
            .table("audit_entries")
            .col(columns::id())
            .col(columns::timestamp("at"))
            .col(columns::text("action"))
            .col(columns::optional_integer("actor_id"))
            .col(columns::optional_integer("subject_id"))
            .take();
        manager.create_table(entries).await?;
        // Each filter of the list finds its rows in the list's order.
        for column in ["action", "actor_id", "subject_id"] {
            let index = columns::index("audit_entries", &[column, "id"]);
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
