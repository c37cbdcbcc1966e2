//! Mailed links are forgotten in the order of their ids, which is the order they were asked for in.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let by_time = Index::drop()
            .name("mailed_links_created_at_idx")
            .table("mailed_links")
            .to_owned();
        manager.drop_index(by_time).await
    }
}
