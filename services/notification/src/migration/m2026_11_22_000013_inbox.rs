//! What people do with their notifications besides reading, and when these are over.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let floor = columns::integer("floor_seq").default(0).take();
        let added = [
            ("recipients", floor),
            ("notifications", columns::optional_timestamp("archived_at")),
            ("notifications", columns::optional_timestamp("expires_at")),
            ("notifications", columns::optional_text("collapse_key")),
        ];
        for (table, column) in added {
            // SQLite adds one column at a time.
            let add = Table::alter().table(table).add_column(column).take();
            manager.alter_table(add).await?;
        }

        let mut unlisted = Index::drop();
        unlisted
            .table("notifications")
            .name("notifications_user_id_idx");
        manager.drop_index(unlisted).await?;
        let is = |column: &'static str| Expr::col(column).is_not_null();
        let is_not = |column: &'static str| Expr::col(column).is_null();
        let indexes = [
            // What waits to be read: counted as before, and listed.
            columns::index("notifications", &["user_id", "seq"])
                .name("notifications_unread_idx")
                .and_where(is_not("read_at"))
                .take(),
            // What is put away, which may be far down.
            columns::index("notifications", &["user_id", "seq"])
                .name("notifications_archive_idx")
                .and_where(is("archived_at"))
                .take(),
            // What a newer one replaces.
            columns::index("notifications", &["user_id", "collapse_key"])
                .and_where(is("collapse_key"))
                .and_where(is_not("read_at"))
                .take(),
            // What is over, found by its time.
            columns::index("notifications", &["read_at"])
                .and_where(is("read_at"))
                .and_where(is_not("archived_at"))
                .take(),
            columns::index("notifications", &["archived_at"])
                .and_where(is("archived_at"))
                .take(),
            columns::index("notifications", &["expires_at"])
                .and_where(is("expires_at"))
                .take(),
        ];
        for index in indexes {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
