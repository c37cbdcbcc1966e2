//! The description of the API is checked in, complete and true.

use lyceum_testing::openapi;
use lyceum_user::App;

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
    openapi::assert_served::<App>(platform.client()).await;
}
