//! The description of the API is checked in, complete and true.

use lyceum_chassis::settings::Settings;
use lyceum_notification::App;
use lyceum_notification::settings::NotificationSettings;
use lyceum_testing::openapi;
use lyceum_testing::spawn::spawn;

use crate::platform::Platform;

#[test]
fn the_description_is_the_one_that_is_checked_in() {
    openapi::assert_checked_in::<App>();
}

#[test]
fn every_operation_tells_what_it_does_and_how_it_fails() {
    openapi::assert_complete::<App>();
}

#[tokio::test]
async fn what_is_served_is_what_is_described() {
    let platform = Platform::start();
    openapi::assert_served::<App>(platform.app.client()).await;
}

#[tokio::test]
async fn what_the_service_is_can_be_read_before_it_has_its_tables() {
    let app = spawn::<App>(|settings: &mut Settings<NotificationSettings>| {
        settings.platform.database.migrate_on_start = false;
    });
    let get = async |path| app.client().get(path).send().await;
    for path in [
        "/health",
        "/openapi.json",
        "/docs/",
        "/problems/unavailable",
    ] {
        get(path).await.expect(200);
    }
    for _ in 0..2 {
        let answer = get("/notifications").await.expect(503);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}
