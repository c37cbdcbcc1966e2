//! Finding the few accounts among many that run the platform, or wait to be erased.

use sea_orm_migration::prelude::*;

use crate::entity::user::ACTIVE_ADMIN;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let admins = Index::create()
            .name("users_admins_idx")
            .table("users")
            .col("id")
            .and_where(Expr::cust(ACTIVE_ADMIN))
            .take();
        manager.create_index(admins).await?;
        let deleted = Index::create()
            .name("users_deleted_at_idx")
            .table("users")
            .col("deleted_at")
            .and_where(Expr::col("deleted_at").is_not_null())
            .take();
        manager.create_index(deleted).await
    }
}
