//! Accounts, one per address.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let users = Table::create()
            .table("users")
            .col(columns::id())
            .col(columns::text("email"))
            .col(columns::text("email_folded"))
            .col(columns::text("full_name"))
            .col(columns::text("password_hash"))
            .col(columns::text("role"))
            .col(columns::integer("version"))
            .col(columns::timestamp("created_at"))
            .col(columns::timestamp("updated_at"))
            .take();
        manager.create_table(users).await?;
        // The judge of who was first; `commands::register_user` reads its verdict by name.
        manager
            .create_index(columns::unique("users", &["email_folded"]))
            .await
    }
}
