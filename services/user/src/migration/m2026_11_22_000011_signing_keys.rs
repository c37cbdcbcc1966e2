//! The keys that sign access tokens, without their secrets.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let keys = Table::create()
            .table("signing_keys")
            .col(columns::text("kid").primary_key())
            .col(columns::text("predecessor"))
            .col(columns::text("salt"))
            .col(columns::timestamp("published_at"))
            .col(columns::timestamp("active_from"))
            .take();
        manager.create_table(keys).await?;
        // The judge between two rotations at once.
        manager
            .create_index(columns::unique("signing_keys", &["predecessor"]))
            .await
    }
}
