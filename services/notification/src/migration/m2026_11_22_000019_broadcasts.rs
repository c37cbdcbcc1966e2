//! Notices to many people, and how far each is told.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let broadcasts = Table::create()
            .table("broadcasts")
            .col(columns::id())
            .col(columns::optional_integer("author_id"))
            .col(columns::text("audience"))
            .col(columns::optional_integer("course_id"))
            .col(columns::optional_json("user_ids"))
            .col(columns::text("title"))
            .col(columns::text("body"))
            .col(columns::optional_text("link"))
            .col(columns::optional_text("collapse_key"))
            .col(columns::text("status"))
            .col(columns::integer("after_id"))
            .col(columns::integer("told"))
            .col(columns::integer("skipped"))
            .col(columns::optional_integer("total"))
            .col(columns::optional_text("error"))
            .col(columns::integer("attempts"))
            .col(columns::integer("claims"))
            .col(columns::timestamp("due_at"))
            .col(columns::optional_text("traceparent"))
            .col(columns::timestamp("created_at"))
            .col(columns::timestamp("updated_at"))
            .take();
        manager.create_table(broadcasts).await?;
        for of in [
            // What is due is asked for every second; those that have ended are most of the table.
            &["status", "due_at"] as &[_],
            // What is forgotten.
            &["status", "updated_at"],
            // Who is erased is nobody's author any more.
            &["author_id"],
        ] {
            manager
                .create_index(columns::index("broadcasts", of))
                .await?;
        }
        Ok(())
    }
}
