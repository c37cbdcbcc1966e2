//! A session that has ended is over in every service.

use std::time::Duration;

use lyceum_testing::eventually;
use lyceum_testing::http::Client;
use lyceum_testing::people::Person;
use tokio::time::timeout;

use crate::platform::Platform;

/// Within this a token that was called in is of no use anywhere.
const BOUND: Duration = Duration::from_secs(2);

/// What each service, in alphabetical order, answers somebody who asks for what is theirs.
async fn answers(platform: &Platform, person: &Person) -> [u16; 3] {
    let courses = format!("/users/{}/courses", person.id);
    let ask =
        async |api: &Client, path: &str| api.get(path).bearer(&person.token).send().await.status;
    let apis = &platform.people;
    [
        ask(&apis.course, &courses).await,
        ask(&apis.notification, "/notifications").await,
        ask(&apis.user, "/users/me").await,
    ]
}

#[tokio::test]
async fn who_signs_out_everywhere_or_is_disabled_is_soon_refused_by_every_service() {
    let platform = Platform::start().await;
    let people = &platform.people;
    let ada = people.register("Ada").await;
    let bob = people.register("Bob").await;
    let eve = people.register("Eve").await;
    for person in [&ada, &bob, &eve] {
        assert_eq!(answers(&platform, person).await, [200; 3]);
    }

    let all = people.user.delete("/sessions").bearer(&ada.token);
    all.send().await.expect(204);
    let admin = people.sign_in(people.admin.0, people.admin.1).await;
    let disable = format!("/users/{}/disable", bob.id);
    let disable = people.user.post(&disable).bearer(admin);
    disable.send().await.expect(200);

    for person in [&ada, &bob] {
        let refused = eventually("refused", async || {
            (answers(&platform, person).await == [401; 3]).then_some(())
        });
        assert!(timeout(BOUND, refused).await.is_ok(), "{}", person.id);
    }
    assert_eq!(answers(&platform, &eve).await, [200; 3]);
}
