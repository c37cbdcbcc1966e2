//! Courses, from draft to published.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // No path of the code may sell a place that is not there: the database says so as well.
        let within_capacity = Expr::col("enrolled").gte(0).and(
            Expr::col("capacity")
                .is_null()
                .or(Expr::col("enrolled").lte(Expr::col("capacity"))),
        );
        let courses = Table::create()
            .table("courses")
            .col(columns::id())
            .col(columns::text("title"))
            .col(columns::text("description"))
            .col(columns::text("status"))
            .col(columns::integer("instructor_id"))
            .col(columns::optional_integer("capacity"))
            .col(columns::integer("enrolled").check(("courses_enrolled_check", within_capacity)))
            .col(columns::integer("version"))
            .col(columns::timestamp("created_at"))
            .col(columns::optional_timestamp("published_at"))
            .take();
        manager.create_table(courses).await?;
        // The public list, by id; and how many courses somebody teaches.
        manager
            .create_index(columns::index("courses", &["status", "id"]))
            .await?;
        manager
            .create_index(columns::index("courses", &["instructor_id"]))
            .await
    }
}
