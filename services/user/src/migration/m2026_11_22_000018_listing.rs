//! What accounts are searched and sorted by: names in lower case, and an index for each order.

use lyceum_chassis::database::columns;
use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::prelude::*;

use crate::entity::user::fold_name;

/// Rows that are read and written at once: 3 values each, within the 32 766 that one statement may
/// have on `SQLite`.
const BATCH: u64 = 500;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let folded = columns::text("full_name_folded").default("").take();
        let users = Table::alter().table("users").add_column(folded).take();
        manager.alter_table(users).await?;
        let db = manager.get_connection();
        fold_names(db).await?;
        if db.get_database_backend() == DbBackend::Postgres {
            for sql in [
                // SQLite has to keep the default that gave the column to old rows.
                "ALTER TABLE users ALTER COLUMN full_name_folded DROP DEFAULT",
                // Byte by byte, as SQLite compares texts: both engines give one order, whatever
                // the server's language, and one index serves it and the search for a beginning.
                r#"ALTER TABLE users ALTER COLUMN full_name_folded TYPE text COLLATE "C""#,
                r#"ALTER TABLE users ALTER COLUMN email_folded TYPE text COLLATE "C""#,
            ] {
                db.execute_unprepared(sql).await?;
            }
        }
        // Addresses have the index that makes them unique.
        for columns in [&["full_name_folded", "id"], &["created_at", "id"]] {
            manager
                .create_index(columns::index("users", columns))
                .await?;
        }
        Ok(())
    }
}

/// Neither engine folds all of Unicode by itself, so the names take a turn through here.
async fn fold_names(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let mut after = 0;
    loop {
        let batch = Query::select()
            .columns(["id", "full_name"])
            .from("users")
            .and_where(Expr::col("id").gt(after))
            .order_by("id", Order::Asc)
            .limit(BATCH)
            .take();
        let mut ids = Vec::new();
        let mut folded = CaseStatement::new();
        for row in db.query_all(&batch).await? {
            let id: i64 = row.try_get("", "id")?;
            let name: String = row.try_get("", "full_name")?;
            folded = folded.case(Expr::col("id").eq(id), fold_name(&name));
            ids.push(id);
        }
        let Some(last) = ids.last() else {
            return Ok(());
        };
        after = *last;
        let update = Query::update()
            .table("users")
            .value("full_name_folded", folded)
            .and_where(Expr::col("id").is_in(ids))
            .take();
        db.execute(&update).await?;
    }
}

#[cfg(test)]
mod tests {
    use lyceum_testing::database::{Engine, TestDatabase};
    use sea_orm_migration::{MigrationName, MigratorTrait};

    use super::super::Migrator;
    use super::*;

    #[tokio::test]
    async fn names_that_were_there_before_are_folded_all_of_them() {
        let database = TestDatabase::create();
        let db = database.connect().await;
        let steps = Migrator::migrations();
        let before = steps
            .iter()
            .position(|step| step.name() == Migration.name());
        let before: u32 = before.unwrap().try_into().unwrap();
        Migrator::up(&db, Some(before)).await.unwrap();
        let now = match database.engine() {
            Engine::Sqlite => "'2026-01-02T03:04:05.000000Z'",
            Engine::Postgres => "timestamptz '2026-01-02T03:04:05Z'",
        };
        let row = |number| {
            format!("('{number}', '{number}', 'ÉLODIE {number}', '!', 'student', 1, {now}, {now})")
        };
        let rows: Vec<_> = (0..=BATCH * 2).map(row).collect();
        let columns =
            "email, email_folded, full_name, password_hash, role, version, created_at, updated_at";
        let insert = format!("INSERT INTO users ({columns}) VALUES {}", rows.join(", "));
        db.execute_unprepared(&insert).await.unwrap();
        Migrator::up(&db, None).await.unwrap();
        let folded = Query::select()
            .column("full_name_folded")
            .from("users")
            .order_by("id", Order::Asc)
            .take();
        let folded = db.query_all(&folded).await.unwrap();
        let folded: Vec<String> = folded
            .iter()
            .map(|row| row.try_get("", "full_name_folded").unwrap())
            .collect();
        let expected: Vec<_> = (0..=BATCH * 2)
            .map(|number| format!("élodie {number}"))
            .collect();
        assert_eq!(folded, expected);
    }
}
