//! Tickets by which browsers open streams.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tickets = Table::create()
            .table("stream_tickets")
            .col(columns::text("digest").primary_key())
            .col(columns::integer("user_id"))
            .col(columns::text("role"))
            .col(columns::integer("session_id"))
            .col(columns::integer("token_version"))
            .col(columns::timestamp("token_expires_at"))
            .col(columns::timestamp("expires_at"))
            .take();
        manager.create_table(tickets).await?;
        // What is over is found by its time, and so deleted.
        manager
            .create_index(columns::index("stream_tickets", &["expires_at"]))
            .await?;
        // Who is erased takes theirs along.
        manager
            .create_index(columns::index("stream_tickets", &["user_id"]))
            .await
    }
}
