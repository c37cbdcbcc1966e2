//! A database of the service's own schema, for tests that stand beside the code.

use lyceum_chassis::Service;
use lyceum_chassis::database::Database;
use lyceum_chassis::settings::{Secret, Settings, Source, load};
use lyceum_testing::database::TestDatabase;

use crate::App;
use crate::migration::Migrator;
use crate::settings::NotificationSettings;

/// The settings the service has by default.
pub(crate) fn settings() -> Settings<NotificationSettings> {
    load(App::DEFAULTS, Source::default()).unwrap()
}

/// Connected and migrated.
pub(crate) async fn connect(place: &TestDatabase) -> Database {
    let mut settings = settings().platform.database;
    settings.url = Secret::from(place.url());
    Database::connect::<Migrator>("test", &settings)
        .await
        .unwrap()
}
