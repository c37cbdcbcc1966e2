//! Peers that are down, slow or talk nonsense: never a 500, and no place lost or given twice.

use lyceum_testing::PATIENCE;
use lyceum_testing::peer::{Answer, DownPeer, Gate};
use serde_json::json;

use crate::platform::{LOOKUP, Platform, everybody_exists};

#[tokio::test]
async fn an_account_that_is_gone_gets_no_place() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    platform
        .users
        .on(LOOKUP)
        .then(Answer::json(200, &json!({"items": []})));
    let ada = platform.student(1);
    let problem = ada.enrols_in(course.id).await.expect(403).problem();
    assert_eq!(
        problem.detail.as_deref(),
        Some("the account no longer exists")
    );
    ada.gets_a_place_in(course.id).await;
    assert_eq!(
        ada.sees(course.id).await.enrolled,
        1,
        "a missing account is asked for again"
    );
}

#[tokio::test]
async fn whoever_was_found_is_not_asked_for_again() {
    let platform = Platform::start();
    let (one, two) = (platform.course(None).await, platform.course(None).await);
    let ada = platform.student(1);
    ada.gets_a_place_in(one.id).await;
    platform.users.on(LOOKUP).always(Answer::status(500));
    ada.gets_a_place_in(two.id).await;
    ada.enrols_in(one.id).await.expect(200);
    let asked = platform.users.requests();
    assert_eq!(
        asked
            .iter()
            .filter(|request| request.path == "/internal/users/lookup")
            .count(),
        1
    );
}

#[tokio::test]
async fn the_question_about_a_person_is_a_service_call_with_a_deadline() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    platform.student(1).gets_a_place_in(course.id).await;
    let asked = platform.users.requests();
    let lookup = asked
        .iter()
        .find(|request| request.path == "/internal/users/lookup")
        .unwrap();
    assert_eq!(lookup.json::<serde_json::Value>(), json!({"ids": [1]}));
    assert!(lookup.bearer().is_some());
    assert!(lookup.header("traceparent").is_some());
    let wait: u64 = lookup.header("x-deadline-ms").unwrap().parse().unwrap();
    assert!((1..=30_000).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_user_service_that_fails_makes_a_502_and_heals_by_itself() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    let nonsense = [
        ("500", Answer::status(500)),
        ("not JSON", Answer::text(200, "<html>")),
        (
            "JSON of another shape",
            Answer::json(200, &json!({"users": 7})),
        ),
        ("not HTTP", Answer::garbage("SSH-2.0-OpenSSH_9.6\r\n")),
        (
            "half a body",
            Answer::json(200, &json!({"items": []})).body_cut(),
        ),
        ("a refusal", Answer::status(401)),
    ];
    for (enrolled, (name, answer)) in (0..).zip(nonsense) {
        platform.users.on(LOOKUP).always(answer);
        let student = platform.student(i64::from(enrolled) + 1);
        let answer = student.enrols_in(course.id).await;
        assert_eq!(answer.status, 502, "{name}: {}", answer.text());
        assert_eq!(answer.problem().r#type, "/problems/bad-gateway");
        assert_eq!(student.sees(course.id).await.enrolled, enrolled, "{name}");
        platform.users.on(LOOKUP).always_with(everybody_exists);
        student.gets_a_place_in(course.id).await;
    }
}

#[tokio::test]
async fn a_silent_user_service_makes_a_504() {
    let platform = Platform::with(|settings| {
        let user = &mut settings.service.upstreams.user;
        (
            user.connect_timeout_ms,
            user.attempt_timeout_ms,
            user.total_timeout_ms,
        ) = (500, 500, 1_000);
    });
    let course = platform.course(None).await;
    let gate = Gate::closed();
    platform
        .users
        .on(LOOKUP)
        .always(Answer::status(200).held_by(&gate));
    let ada = platform.student(1);
    let problem = ada.enrols_in(course.id).await.expect(504).problem();
    assert_eq!(problem.r#type, "/problems/gateway-timeout");
    platform.users.wait_for_abandoned(1, PATIENCE).await;
    assert_eq!(ada.sees(course.id).await.enrolled, 0);
}

#[tokio::test]
async fn a_user_service_that_is_down_is_a_502_until_it_comes_up() {
    let down = DownPeer::hold();
    let platform = Platform::with(|settings| {
        settings.service.upstreams.user.base_url = down.url();
    });
    let problem = platform
        .student(1)
        .get("/courses")
        .await
        .expect(502)
        .problem();
    assert_eq!(
        problem.r#type, "/problems/bad-gateway",
        "no key is known yet"
    );

    let users = down.come_up();
    users
        .on("GET /.well-known/jwks.json")
        .always(Answer::json(200, &platform.tokens.jwks()));
    users.on(LOOKUP).always_with(everybody_exists);
    let course = platform.course(None).await;
    platform.student(1).gets_a_place_in(course.id).await;
}

#[tokio::test]
async fn an_open_breaker_answers_at_once_and_says_when_to_come_back() {
    let platform = Platform::start();
    let course = platform.course(None).await;
    platform.users.on(LOOKUP).always(Answer::status(500));
    let mut last = platform.student(1).enrols_in(course.id).await;
    for id in 2..=10 {
        last = platform.student(id).enrols_in(course.id).await;
    }
    last.clone().expect(503).problem();
    let wait: u64 = last.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let asked = platform.users.requests().len();
    platform.student(11).enrols_in(course.id).await.expect(503);
    assert_eq!(platform.users.requests().len(), asked, "nothing was sent");
    // Known keys still count: reading goes on.
    platform.student(11).sees(course.id).await;
}

#[tokio::test]
async fn a_request_that_takes_longer_than_its_deadline_is_a_408_and_holds_nothing() {
    let platform = Platform::with(|settings| {
        settings.platform.http.request_timeout_ms = 1_500;
        settings.platform.database.max_connections = 2;
    });
    let course = platform.course(None).await;
    let ada = platform.student(1);
    let blocker = platform.hold(course.id).await;
    for _ in 0..2 {
        let problem = ada.enrols_in(course.id).await.expect(408).problem();
        assert_eq!(problem.r#type, "/problems/request-timeout");
    }
    blocker.rollback().await.unwrap();
    // A statement that was cut off may hold its connection until the lock is free.
    let enrolled = tokio::time::timeout(PATIENCE, async {
        loop {
            let answer = ada.enrols_in(course.id).await;
            if answer.status != 408 {
                return answer;
            }
        }
    });
    enrolled.await.unwrap().expect(201);
    assert_eq!(
        ada.sees(course.id).await.enrolled,
        1,
        "what was cut off had no effect"
    );
}
