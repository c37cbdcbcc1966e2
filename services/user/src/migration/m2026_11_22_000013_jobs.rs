//! Work that goes on after its request was answered.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let cascade = ForeignKeyAction::Cascade;
        let jobs = Table::create()
            .table("jobs")
            .col(columns::id())
            .col(columns::text("kind"))
            .col(columns::integer("owner_id"))
            .col(columns::text("status"))
            .col(columns::integer("done"))
            .col(columns::optional_integer("total"))
            .col(columns::json("input"))
            .col(columns::optional_json("cursor"))
            .col(columns::optional_json("result"))
            .col(columns::optional_text("error"))
            .col(columns::integer("attempts"))
            .col(columns::integer("claims"))
            .col(columns::timestamp("due_at"))
            .col(columns::optional_text("traceparent"))
            .col(columns::timestamp("created_at"))
            .col(columns::timestamp("updated_at"))
            .foreign_key(&mut columns::foreign_key(
                "jobs", "owner_id", "users", cascade,
            ))
            .take();
        manager.create_table(jobs).await?;
        manager
            .create_index(columns::index("jobs", &["owner_id"]))
            .await?;
        // What is due is asked for every second; the finished are most of the table.
        manager
            .create_index(columns::index("jobs", &["status", "due_at"]))
            .await
    }
}
