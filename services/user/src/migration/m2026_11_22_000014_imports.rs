//! Uploaded lists of people, until they are dealt with.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let of = |table, column, parent| {
            columns::foreign_key(table, column, parent, ForeignKeyAction::Cascade)
        };
        let imports = Table::create()
            .table("imports")
            .col(columns::id())
            .col(columns::optional_integer("job_id"))
            .col(columns::timestamp("touched_at"))
            .foreign_key(&mut of("imports", "job_id", "jobs"))
            .take();
        manager.create_table(imports).await?;
        manager
            .create_index(columns::unique("imports", &["job_id"]))
            .await?;

        let chunks = Table::create()
            .table("import_chunks")
            .col(columns::id())
            .col(columns::integer("import_id"))
            .col(columns::json("lines"))
            .foreign_key(&mut of("import_chunks", "import_id", "imports"))
            .take();
        manager.create_table(chunks).await?;
        manager
            .create_index(columns::index("import_chunks", &["import_id"]))
            .await?;

        let faults = Table::create()
            .table("import_faults")
            .col(columns::id())
            .col(columns::integer("import_id"))
            .col(columns::integer("line"))
            .col(columns::json("errors"))
            .foreign_key(&mut of("import_faults", "import_id", "imports"))
            .take();
        manager.create_table(faults).await?;
        manager
            .create_index(columns::unique("import_faults", &["import_id", "line"]))
            .await
    }
}
