//! Whose inbox is closed for good.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let recipients = Table::alter()
            .table("recipients")
            .add_column(columns::optional_timestamp("erased_at"))
            .take();
        manager.alter_table(recipients).await
    }
}
