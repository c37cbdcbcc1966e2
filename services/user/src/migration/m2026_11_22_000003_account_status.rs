//! What became of an account after it was opened, and which of its tokens still count.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Accounts that are there already are in use, and their tokens are of the first version.
        let status = columns::text("status").default("active").take();
        let token_version = columns::integer("token_version").default(1).take();
        let deleted_at = columns::optional_timestamp("deleted_at");
        // One statement each: SQLite adds one column at a time.
        for column in [status, token_version, deleted_at] {
            let users = Table::alter().table("users").add_column(column).take();
            manager.alter_table(users).await?;
        }
        Ok(())
    }
}
