//! The schema, step by step; the same on both engines.

mod m2026_11_22_000001_users;
mod m2026_11_22_000002_sessions;
mod m2026_11_22_000003_account_status;
mod m2026_11_22_000004_account_indexes;
mod m2026_11_22_000006_mailed_links;
mod m2026_11_22_000008_session_facts;
mod m2026_11_22_000009_token_generations;
mod m2026_11_22_000010_revocations;
mod m2026_11_22_000011_signing_keys;
mod m2026_11_22_000013_jobs;
mod m2026_11_22_000014_imports;
mod m2026_11_22_000016_audit;
mod m2026_11_22_000018_listing;
mod m2026_11_23_000020_links_by_id;

use lyceum_chassis::idempotency;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All steps, in order. A step that has been released is never changed.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(m2026_11_22_000001_users::Migration),
            Box::new(m2026_11_22_000002_sessions::Migration),
            Box::new(m2026_11_22_000003_account_status::Migration),
            Box::new(m2026_11_22_000006_mailed_links::Migration),
            Box::new(m2026_11_22_000004_account_indexes::Migration),
            Box::new(m2026_11_22_000008_session_facts::Migration),
            Box::new(m2026_11_22_000009_token_generations::Migration),
            Box::new(m2026_11_22_000010_revocations::Migration),
            Box::new(m2026_11_22_000011_signing_keys::Migration),
            Box::new(m2026_11_22_000013_jobs::Migration),
            Box::new(m2026_11_22_000014_imports::Migration),
            Box::new(m2026_11_22_000016_audit::Migration),
            Box::new(m2026_11_22_000018_listing::Migration),
            Box::new(m2026_11_23_000020_links_by_id::Migration),
        ];
        migrations.extend(lyceum_outbox::migrations());
        migrations.extend(idempotency::migrations());
        migrations
    }
}
