//! The schema, step by step; the same on both engines.

mod m2026_11_22_000001_notifications;
mod m2026_11_22_000002_erased_recipients;
mod m2026_11_22_000003_stream_tickets;
mod m2026_11_22_000007_mails;
mod m2026_11_22_000008_preferences;
mod m2026_11_22_000009_rhythms;
mod m2026_11_22_000013_inbox;
mod m2026_11_22_000014_notification_changes;
mod m2026_11_22_000015_processed_events_by_time;
mod m2026_11_22_000016_course_news;
mod m2026_11_22_000018_webhooks;
mod m2026_11_22_000019_broadcasts;
mod m2026_11_22_000021_presence;

use lyceum_chassis::idempotency;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

/// All steps, in order. A step that has been released is never changed.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations: Vec<Box<dyn MigrationTrait>> = vec![
            Box::new(m2026_11_22_000001_notifications::Migration),
            Box::new(m2026_11_22_000002_erased_recipients::Migration),
            Box::new(m2026_11_22_000003_stream_tickets::Migration),
            Box::new(m2026_11_22_000007_mails::Migration),
            Box::new(m2026_11_22_000008_preferences::Migration),
            Box::new(m2026_11_22_000009_rhythms::Migration),
            Box::new(m2026_11_22_000013_inbox::Migration),
            Box::new(m2026_11_22_000014_notification_changes::Migration),
            Box::new(m2026_11_22_000015_processed_events_by_time::Migration),
            Box::new(m2026_11_22_000016_course_news::Migration),
            Box::new(m2026_11_22_000018_webhooks::Migration),
            Box::new(m2026_11_22_000019_broadcasts::Migration),
            Box::new(m2026_11_22_000021_presence::Migration),
        ];
        migrations.extend(idempotency::migrations());
        migrations
    }
}
