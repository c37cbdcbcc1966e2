//! The schema, step by step; the same on both engines.

mod m2026_11_22_000001_courses;
mod m2026_11_22_000002_enrolments;
mod m2026_11_22_000003_persons;

use lyceum_chassis::idempotency;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All steps, in order. A step that has been released is never changed.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(m2026_11_22_000001_courses::Migration),
            Box::new(m2026_11_22_000002_enrolments::Migration),
            Box::new(m2026_11_22_000003_persons::Migration),
        ];
        migrations.extend(lyceum_outbox::migrations());
        migrations.extend(lyceum_outbox::intake::migrations());
        migrations.extend(idempotency::migrations());
        migrations
    }
}
