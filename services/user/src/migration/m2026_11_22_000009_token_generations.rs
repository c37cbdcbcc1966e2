//! How often a session was refreshed, and by which of these refreshes each token came to be.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["sessions", "refresh_tokens"] {
            let generation = columns::integer("generation").default(0).take();
            let alter = Table::alter().table(table).add_column(generation).take();
            manager.alter_table(alter).await?;
        }
        // What has expired is looked for every hour.
        let expiry = columns::index("sessions", &["expires_at"]);
        manager.create_index(expiry).await?;
        // Of the sessions there are, the one unspent token is the newest generation.
        let newest = |table: &'static str| {
            Query::update()
                .table(table)
                .value("generation", 1)
                .to_owned()
        };
        manager.execute(newest("sessions")).await?;
        let unspent = newest("refresh_tokens")
            .and_where(Expr::col("spent_at").is_null())
            .to_owned();
        manager.execute(unspent).await
    }
}
