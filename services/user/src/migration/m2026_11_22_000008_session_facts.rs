//! What a person recognises a session by, and why it ended.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A column that is added without being empty needs a default; nothing relies on it later.
        let last_seen_at = columns::timestamp("last_seen_at")
            .default("1970-01-01T00:00:00.000000Z")
            .take();
        // One column per statement: `SQLite` adds no more at once.
        for column in [
            columns::optional_text("user_agent"),
            columns::optional_text("ended_reason"),
            last_seen_at,
        ] {
            let alter = Table::alter().table("sessions").add_column(column).take();
            manager.alter_table(alter).await?;
        }
        let seen = Query::update()
            .table("sessions")
            .value("last_seen_at", Expr::col("opened_at"))
            .to_owned();
        manager.execute(seen).await
    }
}
