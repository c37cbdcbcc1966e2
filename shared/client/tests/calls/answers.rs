//! What the client makes of an answer.

use lyceum_client::{ClientError, Malformation};
use lyceum_contracts::problem::{MEDIA_TYPE, ProblemKind};
use serde_json::json;

use crate::peer::{Act, Peer};
use crate::{ada, client, identity, stats};

#[tokio::test]
async fn a_call_says_who_is_calling_and_for_how_long_it_waits() {
    let peer = Peer::new([stats()]);
    client(&peer, |_| {}).stats_of(ada()).await.unwrap();
    let request = peer.requests().remove(0);
    assert_eq!(request.line, "GET /users/1/stats HTTP/1.1");
    assert_eq!(request.header("x-deadline-ms"), "2000");
    assert_eq!(request.header("accept"), "application/json");
    let token = request
        .header("authorization")
        .strip_prefix("Bearer ")
        .unwrap();
    assert_eq!(identity("course").verify(token).unwrap().as_str(), "user");
    assert!(identity("notification").verify(token).is_err());
}

#[tokio::test]
async fn a_list_is_unwrapped_from_its_page() {
    let course = json!({
        "enrolment_id": 7, "course_id": 8, "title": "Logic", "enrolled_at": "2026-01-02T03:04:05Z"
    });
    let peer = Peer::new([Act::json(
        200,
        &json!({"items": [course], "next_cursor": null}),
    )]);
    let courses = client(&peer, |_| {}).enrolments_of(ada()).await.unwrap();
    assert_eq!(courses.value[0].title, "Logic");
    let asked = format!("GET /users/{}/courses?limit=1000 HTTP/1.1", ada());
    assert_eq!(peer.requests()[0].line, asked);
}

#[tokio::test]
async fn a_refusal_is_the_problem_the_peer_told() {
    let mut problem = ProblemKind::Conflict.problem();
    problem.detail = Some("the course is full".to_owned());
    let body = serde_json::to_value(&problem).unwrap();
    let peer = Peer::new([Act::json(409, &body).with("content-type", MEDIA_TYPE)]);
    let error = client(&peer, |_| {}).stats_of(ada()).await.unwrap_err();
    let refused = ClientError::Refused {
        problem: Box::new(problem),
        retry_after: None,
    };
    assert_eq!(error, refused);
}

#[tokio::test]
async fn a_refusal_without_a_readable_problem_keeps_its_status() {
    let liar = json!({"type": "x", "title": "x", "status": 200});
    for act in [
        Act::Answer {
            status: 409,
            headers: Vec::new(),
            body: "<html>".to_owned(),
        },
        Act::json(409, &json!([])).with("content-type", MEDIA_TYPE),
        Act::json(409, &liar).with("content-type", MEDIA_TYPE),
    ] {
        let peer = Peer::new([act]);
        let error = client(&peer, |_| {}).stats_of(ada()).await.unwrap_err();
        assert_eq!(error.refused_with(), Some(409));
    }
}

#[tokio::test]
async fn what_was_not_agreed_is_malformed_and_never_a_panic() {
    let not_http = Act::Bytes(b"\x00\x01 hello?\r\n\r\n".to_vec());
    let not_json = Act::Answer {
        status: 200,
        headers: Vec::new(),
        body: "<html>".to_owned(),
    };
    let elsewhere = Act::status(302).with("location", "/elsewhere");
    let json_at = |line, column| Malformation::Json { line, column };
    for (act, malformation) in [
        (not_http, Malformation::NotHttp),
        (not_json, json_at(1, 1)),
        (
            Act::json(200, &json!({"enrolled": "ada@example.org"})),
            json_at(1, 29),
        ),
        (elsewhere, Malformation::Status(302)),
    ] {
        let peer = Peer::new([act]);
        let error = client(&peer, |_| {}).stats_of(ada()).await.unwrap_err();
        assert_eq!(error, ClientError::Malformed(malformation));
        assert_eq!(peer.requests().len(), 1, "neither repeated nor followed");
    }
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_and_no_further() {
    let peer = Peer::new([stats()]);
    let courses = client(&peer, |settings| settings.max_response_bytes = 16);
    let error = courses.stats_of(ada()).await.unwrap_err();
    let too_large = Malformation::TooLarge { limit_bytes: 16 };
    assert_eq!(error, ClientError::Malformed(too_large));
}

#[tokio::test]
async fn the_body_of_an_error_is_read_so_that_the_connection_serves_again() {
    let body = "x".repeat(60 * 1024);
    let failure = Act::Answer {
        status: 500,
        headers: Vec::new(),
        body,
    };
    let peer = Peer::new([failure, stats()]);
    client(&peer, |_| {}).stats_of(ada()).await.unwrap();
    let connections: Vec<_> = peer.requests().iter().map(|r| r.connection).collect();
    assert_eq!(connections, [0, 0]);
}
