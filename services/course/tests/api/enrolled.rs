//! Who is in a course, for another service that walks over them.

use lyceum_contracts::course::EnrolledPage;
use lyceum_testing::http::Response;

use crate::platform::Platform;

async fn asks(platform: &Platform, path: &str) -> Response {
    let path = format!("/internal/courses/{path}");
    let request = platform.app.client().get(&path);
    request.bearer(platform.service_token()).send().await
}

fn ids(page: &EnrolledPage) -> Vec<i64> {
    page.items.iter().map(|person| person.get()).collect()
}

#[tokio::test]
async fn a_service_walks_over_who_is_in_a_course_and_meets_nobody_twice() {
    let platform = Platform::start();
    let (course, other) = (
        platform.course(None).await.id,
        platform.course(None).await.id,
    );
    for id in [5, 3, 9, 7] {
        platform.student(id).gets_a_place_in(course).await;
    }
    platform.student(4).gets_a_place_in(other).await;
    platform.student(9).drops(course).await.expect(204);
    let path = format!("{course}/enrolments");
    let page: EnrolledPage = asks(&platform, &format!("{path}?limit=2"))
        .await
        .expect(200)
        .json();
    assert_eq!((ids(&page), page.total), (vec![3, 5], 3));
    let after = page.next_after.unwrap();
    // Whoever gives a place up and takes another meanwhile stays where they were.
    platform.student(3).drops(course).await.expect(204);
    platform.student(3).gets_a_place_in(course).await;
    platform.student(8).gets_a_place_in(course).await;
    let page: EnrolledPage = asks(&platform, &format!("{path}?after={after}&limit=2"))
        .await
        .expect(200)
        .json();
    assert_eq!((ids(&page), page.total), (vec![7, 8], 4));
    assert_eq!(page.next_after, None);
}

#[tokio::test]
async fn a_course_that_is_none_is_not_found_and_a_page_that_cannot_be_is_refused() {
    let platform = Platform::start();
    let course = platform.course(None).await.id;
    let nobody: EnrolledPage = asks(&platform, &format!("{course}/enrolments"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (nobody.items, nobody.next_after, nobody.total),
        (vec![], None, 0)
    );
    for path in ["999/enrolments", "x/enrolments"] {
        asks(&platform, path).await.expect(404).problem();
    }
    for (query, fault) in [
        ("after=-1", "?after"),
        ("after=x", "?after"),
        ("limit=0", "?limit"),
        ("limit=1001", "?limit"),
        ("skip=1", "?skip"),
    ] {
        let refused = asks(&platform, &format!("{course}/enrolments?{query}")).await;
        let errors = refused.expect(422).problem().errors;
        assert_eq!(errors[0].pointer, fault, "{query}");
    }
}
