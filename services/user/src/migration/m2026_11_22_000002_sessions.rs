//! Logins, and the refresh tokens each has had.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let cascade = ForeignKeyAction::Cascade;
        let sessions = Table::create()
            .table("sessions")
            .col(columns::id())
            .col(columns::integer("user_id"))
            .col(columns::timestamp("opened_at"))
            .col(columns::timestamp("expires_at"))
            .col(columns::optional_timestamp("ended_at"))
            .foreign_key(&mut columns::foreign_key(
                "sessions", "user_id", "users", cascade,
            ))
            .take();
        manager.create_table(sessions).await?;
        manager
            .create_index(columns::index("sessions", &["user_id"]))
            .await?;

        let cascade = ForeignKeyAction::Cascade;
        let tokens = Table::create()
            .table("refresh_tokens")
            .col(columns::id())
            .col(columns::integer("session_id"))
            .col(columns::text("digest"))
            .col(columns::timestamp("issued_at"))
            .col(columns::optional_timestamp("spent_at"))
            .foreign_key(&mut columns::foreign_key(
                "refresh_tokens",
                "session_id",
                "sessions",
                cascade,
            ))
            .take();
        manager.create_table(tokens).await?;
        manager
            .create_index(columns::unique("refresh_tokens", &["digest"]))
            .await?;
        manager
            .create_index(columns::index("refresh_tokens", &["session_id"]))
            .await
    }
}
