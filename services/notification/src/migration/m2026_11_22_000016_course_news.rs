//! What has happened in courses, each at its place in the sequence of its course.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sequences = Table::create()
            .table("course_sequences")
            .col(columns::integer("course_id").primary_key())
            .col(columns::integer("head_seq"))
            .col(columns::integer("floor_seq"))
            .col(columns::optional_timestamp("erased_at"))
            .take();
        manager.create_table(sequences).await?;
        let news = Table::create()
            .table("course_news")
            .col(columns::id())
            .col(columns::integer("course_id"))
            .col(columns::integer("seq"))
            .col(columns::text("kind"))
            .col(columns::json("data"))
            .col(columns::timestamp("created_at"))
            .take();
        manager.create_table(news).await?;
        let indexes = [
            // One per place, and the sequence in order.
            columns::unique("course_news", &["course_id", "seq"]),
            // What is over is found by its time.
            columns::index("course_news", &["created_at"]),
        ];
        for index in indexes {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
