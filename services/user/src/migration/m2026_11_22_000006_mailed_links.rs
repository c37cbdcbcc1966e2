//! Links that are mailed, and the tokens in the letters.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let cascade = ForeignKeyAction::Cascade;
        let links = Table::create()
            .table("mailed_links")
            .col(columns::id())
            .col(columns::integer("user_id"))
            .col(columns::text("purpose"))
            .col(columns::optional_text("address"))
            .col(columns::timestamp("created_at"))
            .col(columns::optional_timestamp("spent_at"))
            .foreign_key(&mut columns::foreign_key(
                "mailed_links",
                "user_id",
                "users",
                cascade,
            ))
            .take();
        manager.create_table(links).await?;
        // A person's links of one purpose: how many of late, and which are still good.
        manager
            .create_index(columns::index("mailed_links", &["user_id", "purpose"]))
            .await?;
        // What is too old to be kept.
        manager
            .create_index(columns::index("mailed_links", &["created_at"]))
            .await?;

        let cascade = ForeignKeyAction::Cascade;
        let tokens = Table::create()
            .table("mailed_link_tokens")
            .col(columns::id())
            .col(columns::integer("link_id"))
            .col(columns::text("digest"))
            .col(columns::timestamp("expires_at"))
            .foreign_key(&mut columns::foreign_key(
                "mailed_link_tokens",
                "link_id",
                "mailed_links",
                cascade,
            ))
            .take();
        manager.create_table(tokens).await?;
        manager
            .create_index(columns::unique("mailed_link_tokens", &["digest"]))
            .await?;
        manager
            .create_index(columns::index("mailed_link_tokens", &["link_id"]))
            .await
    }
}
