//! Receivers of webhooks, and the messages to them until they are forgotten.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let webhooks = Table::create()
            .table("webhooks")
            .col(columns::id())
            .col(columns::text("url"))
            .col(columns::json("events"))
            .col(columns::text("secret"))
            .col(columns::optional_text("old_secret"))
            .col(columns::optional_timestamp("old_secret_until"))
            .col(columns::optional_text("disabled_because"))
            .col(columns::optional_timestamp("failing_since"))
            .col(columns::timestamp("created_at"))
            .col(columns::timestamp("updated_at"))
            .take();
        manager.create_table(webhooks).await?;

        let deliveries = Table::create()
            .table("webhook_deliveries")
            .col(columns::id())
            .col(columns::integer("webhook_id"))
            .col(columns::integer("user_id"))
            .col(columns::text("event"))
            .col(columns::text("message_id"))
            .col(columns::text("body"))
            .col(columns::text("state"))
            .col(columns::integer("attempts"))
            .col(columns::integer("claims"))
            .col(columns::timestamp("due_at"))
            .col(columns::optional_integer("status_code"))
            .col(columns::optional_text("error"))
            .col(columns::optional_text("traceparent"))
            .col(columns::timestamp("created_at"))
            .col(columns::timestamp("updated_at"))
            .foreign_key(&mut columns::foreign_key(
                "webhook_deliveries",
                "webhook_id",
                "webhooks",
                // What was to be sent to nobody is of no use.
                ForeignKeyAction::Cascade,
            ))
            .take();
        manager.create_table(deliveries).await?;
        let unique = columns::unique("webhook_deliveries", &["webhook_id", "message_id"]);
        manager.create_index(unique).await?;
        // What is still to be sent to one receiver is little beside what was.
        let due = columns::index("webhook_deliveries", &["webhook_id", "due_at"])
            .and_where(Expr::col("state").is_in(["queued", "sending"]))
            .take();
        manager.create_index(due).await?;
        for of in [
            // A receiver's log, whole and by state.
            &["webhook_id", "id"] as &[_],
            &["webhook_id", "state", "id"],
            // What is forgotten, and what waits.
            &["state", "updated_at"],
            // Who is erased takes theirs along.
            &["user_id"],
        ] {
            let index = columns::index("webhook_deliveries", of);
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
