//! Who may call what: every caller on every route, and tokens that do not count.

use lyceum_chassis::settings::DEVELOPMENT_SERVICE_SECRET;
use lyceum_course::App;
use lyceum_testing::forgeries::{
    assert_counted_to_the_second, assert_none_in_a_query, assert_refused_alike,
};
use lyceum_testing::http::Response;
use lyceum_testing::identity::service_token;
use lyceum_testing::openapi::assert_each_has_a_row;
use serde_json::{Value, json};

use crate::platform::{Platform, event};

/// Everything below is about a published course of instructor 900 with an enrolment of student 1.
struct Route {
    method: &'static str,
    path: String,
    body: Option<Value>,
}

/// Statuses of: nobody, another student, another instructor, the course's instructor, the person
/// themself, an admin, a service.
type Row = (Route, [u16; 7]);

fn table(course: i64, enrolment: i64) -> Vec<Row> {
    let row = |method, path: String, statuses| {
        (
            Route {
                method,
                path,
                body: None,
            },
            statuses,
        )
    };
    let written = Route {
        method: "POST",
        path: "/courses".to_owned(),
        body: Some(json!({"title": "Sets"})),
    };
    let told = Route {
        method: "POST",
        path: "/internal/events".to_owned(),
        body: Some(json!({"events": [event("user.updated", 1)]})),
    };
    let asked = Route {
        method: "POST",
        path: format!("/internal/courses/{course}/members/lookup"),
        body: Some(json!({"ids": [1]})),
    };
    let changed = Route {
        method: "PATCH",
        path: format!("/courses/{course}"),
        body: Some(json!({"title": "Sets"})),
    };
    vec![
        (asked, [401, 403, 403, 403, 403, 403, 200]),
        (changed, [401, 403, 403, 200, 403, 200, 401]),
        // It is published.
        row(
            "DELETE",
            format!("/courses/{course}"),
            [401, 403, 403, 409, 403, 409, 401],
        ),
        (told, [401, 403, 403, 403, 403, 403, 200]),
        (written, [401, 403, 201, 201, 403, 201, 401]),
        row(
            "GET",
            "/courses".to_owned(),
            [401, 200, 200, 200, 200, 200, 401],
        ),
        row(
            "GET",
            format!("/courses/{course}"),
            [401, 200, 200, 200, 200, 200, 401],
        ),
        row(
            "POST",
            format!("/courses/{course}/publish"),
            [401, 403, 403, 200, 403, 200, 401],
        ),
        row(
            "GET",
            format!("/enrolments/{enrolment}"),
            [401, 404, 404, 200, 200, 200, 401],
        ),
        row(
            "GET",
            format!("/internal/courses/{course}/enrolments"),
            [401, 403, 403, 403, 403, 403, 200],
        ),
        row(
            "GET",
            "/users/1/courses".to_owned(),
            [401, 404, 404, 404, 200, 200, 200],
        ),
        row(
            "GET",
            "/users/1/stats".to_owned(),
            [401, 404, 404, 404, 200, 200, 200],
        ),
        row(
            "POST",
            format!("/courses/{course}/enrolments"),
            [401, 201, 201, 201, 200, 201, 401],
        ),
        row(
            "DELETE",
            format!("/courses/{course}/enrolments"),
            [401, 204, 204, 204, 204, 204, 401],
        ),
    ]
}

#[tokio::test]
async fn every_route_knows_its_callers() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let ada = platform.student(1);
    let enrolment = ada.gets_a_place_in(course.id).await;
    let callers = [
        ("nobody", None),
        ("another student", Some(platform.student(2).token)),
        ("another instructor", Some(platform.instructor(3).token)),
        (
            "the course's instructor",
            Some(platform.instructor(900).token),
        ),
        ("the person", Some(ada.token)),
        ("an admin", Some(platform.admin(4).token)),
        ("a service", Some(platform.service_token())),
    ];
    let table = table(course.id.get(), enrolment.id.get());
    let rows: Vec<_> = table
        .iter()
        .map(|(route, _)| (route.method, route.path.as_str()))
        .collect();
    assert_each_has_a_row::<App>(&rows);
    for (route, statuses) in table {
        for ((name, token), status) in callers.iter().zip(statuses) {
            let answer = call(&platform, &route, token.as_deref()).await;
            let what = format!("{name}: {} {}", route.method, route.path);
            assert_eq!(answer.status, status, "{what}: {}", answer.text());
            if status == 401 {
                let challenge = answer.header("www-authenticate").unwrap_or_default();
                assert!(challenge.starts_with("Bearer"), "{what}");
            }
        }
    }
}

async fn call(platform: &Platform, route: &Route, token: Option<&str>) -> Response {
    let client = platform.app.client();
    let method = route.method.parse().unwrap();
    let mut request = client.request(method, &route.path);
    if let Some(token) = token {
        request = request.bearer(token);
    }
    if route.method == "PATCH" {
        request = request.header("if-match", "*");
    }
    if let Some(body) = &route.body {
        request = request.json(body);
    }
    request.send().await
}

#[tokio::test]
async fn a_token_that_does_not_count_is_refused_the_same_way_whatever_is_wrong() {
    let platform = Platform::start();
    // The right keys are known before the wrong tokens come.
    let path = "/users/1/stats";
    let ada = platform.student(1);
    ada.get(path).await.expect(200);
    let elsewhere = service_token("user", "notification", DEVELOPMENT_SERVICE_SECRET);
    let more = [("service token of another audience", elsewhere)];
    assert_refused_alike(&ada.client, path, &platform.tokens, 1, &more).await;
}

#[tokio::test]
async fn a_token_ends_and_begins_to_the_second() {
    let platform = Platform::start();
    let ada = platform.student(1);
    assert_counted_to_the_second(&ada.client, "/users/1/stats", &platform.tokens, 1).await;
}

#[tokio::test]
async fn a_token_anywhere_but_in_its_header_is_none_and_is_not_written_down() {
    let platform = Platform::start();
    let ada = platform.student(1);
    ada.get("/users/1/stats").await.expect(200);
    assert_none_in_a_query(&platform.app, "/users/1/stats", &ada.token).await;
}
