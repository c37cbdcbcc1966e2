//! A database of the service's own schema, for tests that stand beside the code.

use lyceum_chassis::Service;
use lyceum_chassis::database::{Database, DatabaseSettings};
use lyceum_chassis::settings::{Secret, Settings, Source, load};
use lyceum_testing::database::TestDatabase;

use crate::App;
use crate::migration::Migrator;
use crate::settings::UserSettings;

/// The settings the service has by default.
pub(crate) fn settings(place: &TestDatabase) -> DatabaseSettings {
    let settings: Settings<UserSettings> = load(App::DEFAULTS, Source::default()).unwrap();
    let mut settings = settings.platform.database;
    settings.url = Secret::from(place.url());
    settings
}

/// Connected and migrated.
pub(crate) async fn connect(settings: &DatabaseSettings) -> Database {
    Database::connect::<Migrator>("test", settings)
        .await
        .unwrap()
}
