//! Inboxes, the sequences they are counted by, and the events that have been seen.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let recipients = Table::create()
            .table("recipients")
            .col(columns::integer("user_id").primary_key())
            .col(columns::integer("head_seq"))
            .take();
        manager.create_table(recipients).await?;

        let notifications = Table::create()
            .table("notifications")
            .col(columns::id())
            .col(columns::integer("user_id"))
            .col(columns::integer("seq"))
            .col(columns::text("kind"))
            .col(columns::text("title"))
            .col(columns::text("body"))
            .col(columns::json("data"))
            .col(columns::timestamp("created_at"))
            .col(columns::optional_timestamp("read_at"))
            .take();
        manager.create_table(notifications).await?;
        // One notification per place in a sequence; and the inbox, read in either direction.
        manager
            .create_index(columns::unique("notifications", &["user_id", "seq"]))
            .await?;
        // What waits to be read is little, however long the inbox: counted from the index alone.
        let unread = columns::index("notifications", &["user_id"])
            .and_where(Expr::col("read_at").is_null())
            .take();
        manager.create_index(unread).await?;

        let processed = Table::create()
            .table("processed_events")
            .col(columns::text("event_id").primary_key())
            .col(columns::timestamp("processed_at"))
            .take();
        manager.create_table(processed).await
    }
}
