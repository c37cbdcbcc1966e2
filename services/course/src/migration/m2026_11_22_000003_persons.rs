//! Who has ever enrolled, so that somebody who is erased can be told from somebody new.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let persons = Table::create()
            .table("persons")
            .col(columns::integer("user_id").primary_key())
            .col(columns::optional_timestamp("erased_at"))
            .take();
        manager.create_table(persons).await
    }
}
