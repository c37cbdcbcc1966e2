//! Who is there, on which replica, and when each was last.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let replicas = Table::create()
            .table("presence_replicas")
            .col(columns::id())
            .col(columns::timestamp("beat_at"))
            .col(columns::timestamp("until"))
            .take();
        manager.create_table(replicas).await?;

        let seats = Table::create()
            .table("presence_seats")
            .col(columns::integer("user_id"))
            .col(columns::integer("replica_id"))
            .primary_key(Index::create().col("user_id").col("replica_id"))
            .take();
        manager.create_table(seats).await?;
        // Those of one replica: counted, and taken away with it.
        let of_replica = columns::index("presence_seats", &["replica_id", "user_id"]);
        manager.create_index(of_replica).await?;

        let presences = Table::create()
            .table("presences")
            .col(columns::integer("user_id").primary_key())
            .col(columns::optional_integer("seen_minute"))
            .col(columns::boolean("hidden"))
            .take();
        manager.create_table(presences).await
    }
}
