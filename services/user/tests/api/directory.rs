//! Everybody, for the services of the platform.

use lyceum_contracts::user::ContactPage;
use lyceum_testing::http::Response;

use crate::platform::Platform;

async fn asks(platform: &Platform, query: &str) -> Response {
    let token = platform.app.token_of("notification");
    let path = format!("/internal/users{query}");
    platform.client().get(&path).bearer(token).send().await
}

#[tokio::test]
async fn a_service_walks_over_everybody_once_however_many_come_meanwhile() {
    let platform = Platform::start();
    for name in ["ada", "bob", "cyd", "dan"] {
        platform
            .registers(&format!("{name}@example.org"))
            .await
            .expect(201);
    }
    let (mut walked, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page: ContactPage = asks(&platform, &query).await.expect(200).json();
        walked.extend(page.items.into_iter().map(|person| person.email));
        let Some(after) = page.next_after else { break };
        query = format!("?after={after}&limit=2");
        platform
            .registers(&format!("late{after}@example.org"))
            .await
            .expect(201);
    }
    let everybody = [
        "admin@lyceum.test",
        "ada@example.org",
        "bob@example.org",
        "cyd@example.org",
        "dan@example.org",
        "late2@example.org",
        "late4@example.org",
        "late6@example.org",
    ];
    assert_eq!(walked, everybody);
}

#[tokio::test]
async fn who_may_not_sign_in_is_not_among_them() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let database = platform.app.database().connect().await;
    for status in ["invited", "disabled", "deleted"] {
        let changed = format!("UPDATE users SET status = '{status}' WHERE id = {}", ada.id);
        sea_orm::ConnectionTrait::execute_unprepared(&database, &changed)
            .await
            .unwrap();
        let page: ContactPage = asks(&platform, "").await.expect(200).json();
        assert_eq!(page.items.len(), 1, "{status}");
        assert_eq!(page.items[0].email, "admin@lyceum.test", "{status}");
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused_by_name() {
    let platform = Platform::start();
    for (query, name) in [
        ("?after=-1", "?after"),
        ("?after=x", "?after"),
        ("?after=9223372036854775808", "?after"),
        ("?limit=0", "?limit"),
        ("?limit=1001", "?limit"),
        ("?skip=1", "?skip"),
    ] {
        let problem = asks(&platform, query).await.expect(422).problem();
        assert_eq!(problem.errors[0].pointer, name, "{query}");
    }
    asks(&platform, "?after=9223372036854775807&limit=1000")
        .await
        .expect(200);
}
