//! Who holds a place in which course.

use lyceum_chassis::database::columns;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let course = columns::foreign_key(
            "enrolments",
            "course_id",
            "courses",
            ForeignKeyAction::Restrict,
        );
        let enrolments = Table::create()
            .table("enrolments")
            .col(columns::id())
            .col(columns::integer("course_id"))
            .col(columns::integer("user_id"))
            .col(columns::text("status"))
            .col(columns::timestamp("enrolled_at"))
            .col(columns::optional_timestamp("dropped_at"))
            .foreign_key(&mut course.clone())
            .take();
        manager.create_table(enrolments).await?;
        // One place per person and course; registrations given up may be many.
        let one_active = columns::unique("enrolments", &["course_id", "user_id"])
            .and_where(Expr::col("status").eq("active"))
            .take();
        manager.create_index(one_active).await?;
        // Somebody's courses, by id; and somebody's figures.
        manager
            .create_index(columns::index("enrolments", &["user_id", "id"]))
            .await
    }
}
