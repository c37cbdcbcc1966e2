//! The list of all accounts, page by page.

use lyceum_contracts::page::Page;
use lyceum_contracts::user::User;
use lyceum_testing::http::Response;

use crate::platform::{Person, Platform};

async fn five_accounts(platform: &Platform) -> Person {
    for name in ["ada", "bob", "cyd", "dan"] {
        platform
            .registers(&format!("{name}@example.org"))
            .await
            .expect(201);
    }
    platform.admin().await
}

fn emails(answer: &Response) -> Vec<String> {
    let page: Page<User> = answer.json();
    page.items.into_iter().map(|user| user.email).collect()
}

#[tokio::test]
async fn all_accounts_are_listed_in_the_order_they_were_opened() {
    let platform = Platform::start();
    let admin = five_accounts(&platform).await;
    let all = admin.get("/users").await.expect(200);
    let everybody = [
        "admin@lyceum.test",
        "ada@example.org",
        "bob@example.org",
        "cyd@example.org",
        "dan@example.org",
    ];
    assert_eq!(emails(&all), everybody);
    assert_eq!(all.json::<Page<User>>().next_cursor, None);
    assert_eq!(all.header("link"), None);
    assert_eq!(
        emails(&admin.get("/users?skip=1&limit=2").await),
        everybody[1..3]
    );
    assert_eq!(
        emails(&admin.get("/users?skip=10000&limit=1000").await),
        [""; 0]
    );
}

#[tokio::test]
async fn a_cursor_walks_over_all_of_them_once() {
    let platform = Platform::start();
    let admin = five_accounts(&platform).await;
    let mut walked = Vec::new();
    let mut path = "/users?limit=2".to_owned();
    loop {
        let answer = admin.get(&path).await.expect(200);
        walked.extend(emails(&answer));
        let Some(cursor) = answer.json::<Page<User>>().next_cursor else {
            break;
        };
        path = format!("/users?limit=2&cursor={cursor}");
        let link = answer.header("link").unwrap();
        let next = format!("</users?cursor={cursor}&limit=2>; rel=\"next\"");
        assert!(link.starts_with(&next), "{link}");
        // Somebody who registers meanwhile comes last and moves nobody.
        platform
            .registers(&format!("late{}@example.org", walked.len()))
            .await
            .expect(201);
    }
    let mut once = walked.clone();
    once.dedup();
    assert_eq!(walked.len(), 5 + 3, "{walked:?}");
    assert_eq!(once, walked);
}

#[tokio::test]
async fn a_window_out_of_range_is_refused_and_never_clamped() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    for query in [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=1000000000",
        "limit=abc",
        "limit=",
        "limit=1.5",
        "skip=-1",
        "skip=10001",
        "skip=abc",
        "skip=1&cursor=YWZ0ZXI6MQ",
        "limit=1&limit=9",
        "colour=red",
    ] {
        let problem = admin
            .get(&format!("/users?{query}"))
            .await
            .expect(422)
            .problem();
        assert!(!problem.errors.is_empty(), "{query}");
        assert!(
            problem
                .errors
                .iter()
                .all(|fault| fault.pointer.starts_with('?')),
            "{query}"
        );
    }
    let problem = admin.get("/users?skip=10001").await.problem();
    assert!(
        problem.errors[0].detail.contains("cursor"),
        "it says what to do instead"
    );
}
