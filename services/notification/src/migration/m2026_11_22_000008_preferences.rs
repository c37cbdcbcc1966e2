//! What people have chosen about their letters.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let readers = Table::create()
            .table("mail_readers")
            .col(columns::integer("user_id").primary_key())
            .col(columns::optional_text("locale"))
            .col(columns::text("unsubscribe_token"))
            .take();
        manager.create_table(readers).await?;
        manager
            .create_index(columns::unique("mail_readers", &["unsubscribe_token"]))
            .await?;

        let mutes = Table::create()
            .table("mail_mutes")
            .col(columns::integer("user_id"))
            .col(columns::text("topic"))
            .primary_key(Index::create().col("user_id").col("topic"))
            .take();
        manager.create_table(mutes).await
    }
}
