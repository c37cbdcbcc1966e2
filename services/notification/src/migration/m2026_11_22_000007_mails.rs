//! Letters, from the moment they are caused until they are forgotten.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mails = Table::create()
            .table("mails")
            .col(columns::id())
            .col(columns::integer("user_id"))
            .col(columns::text("template"))
            .col(columns::json("input"))
            .col(columns::text("state"))
            .col(columns::integer("attempts"))
            .col(columns::integer("claims"))
            .col(columns::timestamp("due_at"))
            .col(columns::text("message_id"))
            .col(columns::optional_text("error"))
            .col(columns::optional_text("traceparent"))
            .col(columns::timestamp("created_at"))
            .col(columns::timestamp("updated_at"))
            .take();
        manager.create_table(mails).await?;
        manager
            .create_index(columns::unique("mails", &["message_id"]))
            .await?;
        // What is still to be sent is little beside what was.
        let due = columns::index("mails", &["due_at"])
            .and_where(Expr::col("state").is_in(["queued", "sending"]))
            .take();
        manager.create_index(due).await?;
        for of in [
            ["user_id", "id"],
            // An admin's list.
            ["state", "id"],
            // What is forgotten.
            ["state", "updated_at"],
        ] {
            manager.create_index(columns::index("mails", &of)).await?;
        }
        Ok(())
    }
}
