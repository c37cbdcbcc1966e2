//! Lists page by page, and the figures of a person.

use std::collections::BTreeSet;

use lyceum_contracts::course::{Course, EnrolledCourse, UserStats};
use lyceum_contracts::ids::CourseId;
use lyceum_contracts::page::Page;

use crate::platform::{Person, Platform};

async fn ids(person: &Person, path: &str) -> Vec<i64> {
    let page: Page<Course> = person.get(path).await.expect(200).json();
    page.items.iter().map(|course| course.id.get()).collect()
}

#[tokio::test]
async fn the_public_list_is_read_page_by_page_and_holds_no_drafts() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let mut published = Vec::new();
    for title in ["A", "B", "C", "D", "E"] {
        let course = teacher.writes(title, None).await;
        teacher.writes("a draft", None).await;
        teacher.publishes(course.id).await.expect(200);
        published.push(course.id.get());
    }
    let ada = platform.student(2);
    assert_eq!(ids(&ada, "/courses").await, published);
    assert_eq!(ids(&ada, "/courses?skip=1&limit=2").await, published[1..3]);
    assert_eq!(ids(&ada, "/courses?skip=5").await, [0; 0]);

    let mut path = "/courses?limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = ada.get(&path).await.expect(200);
        let page: Page<Course> = answer.json();
        seen.extend(page.items.iter().map(|course| course.id.get()));
        let Some(cursor) = page.next_cursor else {
            let first = "</courses?limit=2>; rel=\"first\"";
            assert_eq!(answer.header("link"), Some(first));
            break;
        };
        path = format!("/courses?cursor={cursor}&limit=2");
        let link = answer.header("link").unwrap();
        assert!(
            link.starts_with(&format!("<{path}>; rel=\"next\"")),
            "{link}"
        );
    }
    assert_eq!(seen, published);
}

#[tokio::test]
async fn a_window_that_cannot_be_is_refused_never_bent() {
    let platform = Platform::start();
    let ada = platform.student(1);
    for path in ["/courses", "/users/1/courses"] {
        for query in [
            "limit=0",
            "limit=-1",
            "limit=1001",
            "limit=1e9",
            "limit=abc",
            "limit=",
            "skip=-1",
            "skip=10001",
            "skip=abc",
            "limit=1&limit=9",
            "offset=3",
            "skip=1&cursor=YWZ0ZXI6MQ",
        ] {
            let problem = ada
                .get(&format!("{path}?{query}"))
                .await
                .expect(422)
                .problem();
            assert!(!problem.errors.is_empty(), "{query}");
        }
        for cursor in ["abc", "", "YWZ0ZXI6MQ"] {
            let answer = ada.get(&format!("{path}?cursor={cursor}")).await;
            assert_eq!(
                answer.expect(400).problem().r#type,
                "/problems/invalid-cursor"
            );
        }
        ada.get(&format!("{path}?limit=1000&skip=10000"))
            .await
            .expect(200);
    }
}

async fn my_courses(person: &Person, query: &str) -> Page<EnrolledCourse> {
    person
        .get(&format!("/users/{}/courses{query}", person.id))
        .await
        .expect(200)
        .json()
}

#[tokio::test]
async fn a_persons_courses_are_those_they_hold_a_place_in() {
    let platform = Platform::start();
    let teacher = platform.instructor(900);
    let ada = platform.student(1);
    let mut enrolled = Vec::new();
    for title in ["A", "B", "C"] {
        let course = teacher.writes(title, None).await;
        teacher.publishes(course.id).await.expect(200);
        let enrolment = ada.gets_a_place_in(course.id).await;
        enrolled.push((
            enrolment.id,
            course.id,
            title.to_owned(),
            enrolment.enrolled_at,
        ));
    }
    platform.student(2).gets_a_place_in(enrolled[0].1).await;
    ada.drops(enrolled[1].1).await.expect(204);
    enrolled.remove(1);

    let rows = |page: Page<EnrolledCourse>| -> Vec<_> {
        let row =
            |row: EnrolledCourse| (row.enrolment_id, row.course_id, row.title, row.enrolled_at);
        page.items.into_iter().map(row).collect()
    };
    assert_eq!(rows(my_courses(&ada, "").await), enrolled);
    let first = my_courses(&ada, "?limit=1").await;
    let cursor = first.next_cursor.clone().unwrap();
    let second = my_courses(&ada, &format!("?limit=1&cursor={cursor}")).await;
    assert_eq!(second.next_cursor, None);
    assert_eq!([rows(first), rows(second)].concat(), enrolled);
    assert_eq!(rows(my_courses(&ada, "?skip=1").await), enrolled[1..]);
}

#[tokio::test]
async fn a_persons_figures_count_places_held_places_given_up_and_courses_taught() {
    let platform = Platform::start();
    let teacher = platform.instructor(1);
    let mut courses: Vec<CourseId> = Vec::new();
    for title in ["A", "B", "C"] {
        let course = teacher.writes(title, None).await;
        teacher.publishes(course.id).await.expect(200);
        courses.push(course.id);
    }
    teacher.writes("a draft", None).await;
    let ada = platform.student(2);
    ada.gets_a_place_in(courses[0]).await;
    ada.gets_a_place_in(courses[1]).await;
    for _ in 0..2 {
        ada.gets_a_place_in(courses[2]).await;
        ada.drops(courses[2]).await.expect(204);
    }
    let figures = async |person: &Person| -> UserStats {
        person
            .get(&format!("/users/{}/stats", person.id))
            .await
            .expect(200)
            .json()
    };
    let expected = |enrolled, dropped, teaching| UserStats {
        enrolled,
        dropped,
        teaching,
    };
    assert_eq!(figures(&ada).await, expected(2, 2, 0));
    assert_eq!(figures(&teacher).await, expected(0, 0, 4));
    assert_eq!(figures(&platform.student(3)).await, expected(0, 0, 0));
}

#[tokio::test]
async fn a_service_and_an_admin_ask_about_anybody_and_others_about_themselves() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    platform.student(1).gets_a_place_in(course.id).await;
    let mut seen = BTreeSet::new();
    for path in ["/users/1/courses", "/users/1/stats"] {
        let service = platform.app.client();
        let token = platform.service_token();
        let by_service = service
            .get(path)
            .bearer(token)
            .send()
            .await
            .expect(200)
            .text();
        let by_admin = platform.admin(3).get(path).await.expect(200).text();
        let by_self = platform.student(1).get(path).await.expect(200).text();
        assert_eq!((&by_service, &by_admin), (&by_self, &by_self));
        for other in [platform.student(2), platform.instructor(900)] {
            other.get(path).await.expect(404);
        }
        seen.insert(by_self);
    }
    assert_eq!(seen.len(), 2);
}
