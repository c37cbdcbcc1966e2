//! Access tokens called in before they end.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No foreign keys: a revocation outlives the session and the account it is about.
        let revocations = Table::create()
            .table("revocations")
            .col(columns::id())
            .col(columns::optional_integer("seq"))
            .col(columns::integer("user_id"))
            .col(columns::optional_integer("session_id"))
            .col(columns::optional_integer("below_version"))
            .col(columns::timestamp("revoked_at"))
            .col(columns::timestamp("expires_at"))
            .take();
        manager.create_table(revocations).await?;
        // The judge between two processes that number rows at once.
        manager
            .create_index(columns::unique("revocations", &["seq"]))
            .await
    }
}
