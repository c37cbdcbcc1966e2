//! When people want letters that can wait.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column at a time: SQLite adds no more.
        for column in [
            columns::text("digest").default("off").take(),
            columns::optional_integer("quiet_from"),
            columns::optional_integer("quiet_until"),
            columns::integer("utc_offset_minutes").default(0).take(),
        ] {
            let readers = Table::alter()
                .table("mail_readers")
                .add_column(column)
                .take();
            manager.alter_table(readers).await?;
        }
        Ok(())
    }
}
