//! What became of notifications, each change at its place in the sequence of a person.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let changes = Table::create()
            .table("notification_changes")
            .col(columns::id())
            .col(columns::integer("user_id"))
            .col(columns::integer("seq"))
            .col(columns::optional_integer("deleted_id"))
            .col(columns::json("data"))
            .col(columns::timestamp("created_at"))
            .take();
        manager.create_table(changes).await?;
        let indexes = [
            // One per place, and the sequence in order.
            columns::unique("notification_changes", &["user_id", "seq"]),
            // Whether somebody has deleted this one before.
            columns::index("notification_changes", &["user_id", "deleted_id"])
                .and_where(Expr::col("deleted_id").is_not_null())
                .take(),
            // What is over is found by its time.
            columns::index("notification_changes", &["created_at"]),
        ];
        for index in indexes {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
