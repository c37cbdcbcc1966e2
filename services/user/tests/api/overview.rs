//! Everything about one person, whatever the peers do.

use std::time::{Duration, Instant};

use lyceum_contracts::user::{Overview, PartAge};
use lyceum_testing::PATIENCE;
use lyceum_testing::http::Response;
use lyceum_testing::peer::{Answer, DownPeer, Gate};
use serde_json::json;

use crate::platform::{Person, Platform};

const COURSES: &str = "GET /users/{id}/courses";
const STATS: &str = "GET /users/{id}/stats";
const UNREAD: &str = "GET /internal/users/{id}/unread-count";

fn courses() -> Answer {
    let course = json!({
        "enrolment_id": 5, "course_id": 3, "title": "Logic", "enrolled_at": "2026-01-02T03:04:05Z",
    });
    Answer::json(200, &json!({"items": [course], "next_cursor": null}))
}

fn stats() -> Answer {
    Answer::json(200, &json!({"enrolled": 1, "dropped": 0, "teaching": 0}))
}

fn unread() -> Answer {
    Answer::json(200, &json!({"unread": 7}))
}

/// Both peers are well unless a test says otherwise before.
fn all_is_well(platform: &Platform) {
    platform.course.on(COURSES).always(courses());
    platform.course.on(STATS).always(stats());
    platform.notification.on(UNREAD).always(unread());
}

async fn overview_of(person: &Person) -> Response {
    person.get(&format!("/users/{}/overview", person.id)).await
}

fn missing(overview: &Overview) -> Vec<(&str, &str)> {
    overview
        .degraded
        .iter()
        .map(|part| (part.part.as_str(), part.reason.as_str()))
        .collect()
}

#[tokio::test]
async fn an_overview_holds_account_courses_figures_and_unread_count() {
    let platform = Platform::start();
    all_is_well(&platform);
    let ada = platform.student("ada").await;
    let overview: Overview = overview_of(&ada).await.expect(200).json();
    assert_eq!(overview.user, ada.account().await);
    assert_eq!(overview.courses[0].title, "Logic");
    assert_eq!(overview.stats.map(|stats| stats.enrolled), Some(1));
    assert_eq!(overview.unread, Some(7));
    assert_eq!(missing(&overview), []);
    platform.course.assert_as_scripted();
    for request in platform.course.requests() {
        assert!(request.path.starts_with(&format!("/users/{}/", ada.id)));
        assert!(request.bearer().is_some() && request.bearer() != Some(&ada.token));
        assert!(request.header("traceparent").is_some());
    }
}

#[tokio::test]
async fn the_parts_are_asked_for_at_once() {
    let platform = Platform::start();
    let gate = Gate::closed();
    platform.course.on(COURSES).always(courses().held_by(&gate));
    platform.course.on(STATS).always(stats().held_by(&gate));
    platform
        .notification
        .on(UNREAD)
        .always(unread().held_by(&gate));
    let ada = platform.student("ada").await;
    let observe = async {
        // None of them answers before all of them have been asked.
        platform.course.wait_for_requests(2, PATIENCE).await;
        platform.notification.wait_for_requests(1, PATIENCE).await;
        gate.open();
    };
    let (answer, ()) = futures_util::join!(overview_of(&ada), observe);
    assert_eq!(missing(&answer.expect(200).json()), []);
}

#[tokio::test]
async fn whatever_a_peer_does_the_answer_is_200_and_says_what_is_missing() {
    let problem = |status| {
        Answer::json(
            status,
            &json!({"type": "about:blank", "title": "x", "status": status}),
        )
    };
    for (what, answer, reason) in [
        ("breaks off", Answer::reset(), "unreachable"),
        ("closes", Answer::close(), "unreachable"),
        ("fails", Answer::status(500), "refused"),
        ("is overloaded", problem(503), "refused"),
        ("knows nobody", problem(404), "refused"),
        ("wants other credentials", problem(401), "refused"),
        (
            "talks nonsense",
            Answer::garbage("\u{1}\u{2}\r\n\r\n"),
            "malformed",
        ),
        (
            "sends another JSON",
            Answer::json(200, &json!({"items": "none"})),
            "malformed",
        ),
        ("sends a page", Answer::text(200, "<html>"), "malformed"),
        ("sends half an answer", courses().body_cut(), "unreachable"),
    ] {
        let platform = Platform::start();
        platform.course.on(COURSES).always(answer);
        all_is_well_besides_courses(&platform);
        let ada = platform.student("ada").await;
        let answer = overview_of(&ada).await;
        assert_eq!(answer.status, 200, "a peer that {what}: {}", answer.text());
        let overview: Overview = answer.json();
        assert_eq!(
            missing(&overview),
            [("courses", reason)],
            "a peer that {what}"
        );
        assert!(overview.courses.is_empty() && overview.stats.is_some());
        assert_eq!(overview.unread, Some(7));
    }
}

fn all_is_well_besides_courses(platform: &Platform) {
    platform.course.on(STATS).always(stats());
    platform.notification.on(UNREAD).always(unread());
}

#[tokio::test]
async fn figures_of_before_stand_in_for_a_peer_that_fails_and_say_so() {
    let platform = Platform::with(|settings| {
        settings.service.upstreams.course.cache.fresh_ms = 1;
    });
    all_is_well(&platform);
    let ada = platform.student("ada").await;
    overview_of(&ada).await.expect(200);
    platform.course.on(STATS).always(Answer::status(500));
    let overview: Overview = overview_of(&ada).await.expect(200).json();
    assert_eq!(overview.stats.map(|stats| stats.enrolled), Some(1));
    assert_eq!(missing(&overview), [("stats", "stale")]);
}

#[tokio::test]
async fn figures_that_are_fresh_are_not_asked_for_again() {
    let platform = Platform::with(|settings| {
        settings.service.upstreams.course.cache.fresh_ms = 60_000;
    });
    all_is_well(&platform);
    let ada = platform.student("ada").await;
    for _ in 0..3 {
        overview_of(&ada).await.expect(200);
    }
    let requests = platform.course.requests();
    let asked = |end: &str| {
        requests
            .iter()
            .filter(|request| request.path.contains(end))
            .count()
    };
    assert_eq!((asked("/stats"), asked("/courses")), (1, 1));
}

/// Both peers' answers are kept for a minute.
fn kept_for_a_minute() -> Platform {
    let platform = Platform::with(|settings| {
        let upstreams = &mut settings.service.upstreams;
        upstreams.course.cache.fresh_ms = 60_000;
        upstreams.notification.cache.fresh_ms = 60_000;
    });
    all_is_well(&platform);
    platform
}

#[tokio::test]
async fn each_part_tells_since_when_it_was_kept() {
    let platform = kept_for_a_minute();
    let ada = platform.student("ada").await;
    let parts = async || overview_of(&ada).await.expect(200).json::<Overview>().parts;
    let asked = PartAge {
        kept_since: None,
        stale: false,
    };
    let first = parts().await;
    assert_eq!([first.courses, first.stats, first.unread], [Some(asked); 3]);
    let second = parts().await;
    for part in [second.courses, second.stats, second.unread] {
        let part = part.unwrap();
        assert!(part.kept_since.is_some() && !part.stale, "{part:?}");
    }
    assert_eq!(parts().await, second, "the same at every look");
}

#[tokio::test]
async fn a_part_that_is_missing_has_no_age() {
    let platform = Platform::start();
    platform.course.on(COURSES).always(Answer::status(500));
    all_is_well_besides_courses(&platform);
    let ada = platform.student("ada").await;
    let overview: Overview = overview_of(&ada).await.expect(200).json();
    assert_eq!(overview.parts.courses, None);
    assert!(overview.parts.stats.is_some());
}

#[tokio::test]
async fn whoever_wants_it_fresh_has_every_peer_asked() {
    let platform = kept_for_a_minute();
    let ada = platform.student("ada").await;
    let path = format!("/users/{}/overview", ada.id);
    let asked = || platform.course.requests().len() + platform.notification.requests().len();
    let get = |path: &str, cache_control: &str| {
        let request = ada.client.get(path).bearer(&ada.token);
        request.header("cache-control", cache_control).send()
    };
    get(&path, "max-age=60").await.expect(200);
    let once = asked();
    get(&path, "max-age=60").await.expect(200);
    get(&format!("{path}?fresh=false"), "no-store")
        .await
        .expect(200);
    assert_eq!(asked(), once);
    get(&format!("{path}?fresh=true"), "max-age=60")
        .await
        .expect(200);
    assert_eq!(asked(), once + 3);
    let reloaded = get(&path, "max-age=0, No-Cache").await.expect(200);
    assert_eq!(asked(), once + 6);
    let parts = reloaded.json::<Overview>().parts;
    assert_eq!(parts.unread.unwrap().kept_since, None);
    get(&format!("{path}?fresh=perhaps"), "")
        .await
        .expect(422)
        .problem();
}

#[tokio::test]
async fn an_overview_that_was_seen_is_not_sent_again_until_something_in_it_changes() {
    let platform = Platform::start();
    all_is_well(&platform);
    let ada = platform.student("ada").await;
    let path = format!("/users/{}/overview", ada.id);
    let get = |tag: &str| {
        let request = ada.client.get(&path).bearer(&ada.token);
        request.header("if-none-match", tag).send()
    };
    let first = get("\"another\"").await.expect(200);
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
    let again = get(&tag).await.expect(304);
    assert_eq!(again.text(), "");
    assert_eq!(again.header("etag"), Some(&*tag));
    let count = Answer::json(200, &json!({"unread": 8}));
    platform.notification.on(UNREAD).always(count);
    let changed = get(&tag).await.expect(200);
    assert_ne!(changed.header("etag"), Some(&*tag));
    platform.notification.on(UNREAD).always(Answer::status(500));
    let degraded = get(&tag).await.expect(200);
    assert_ne!(degraded.header("etag"), Some(&*tag));
}

#[tokio::test]
async fn an_overview_put_together_from_the_same_kept_parts_has_the_same_tag() {
    let platform = kept_for_a_minute();
    let ada = platform.student("ada").await;
    overview_of(&ada).await.expect(200);
    let second = overview_of(&ada).await.expect(200);
    let third = overview_of(&ada).await.expect(200);
    assert!(second.header("etag").is_some());
    assert_eq!(second.header("etag"), third.header("etag"));
}

#[tokio::test]
async fn peers_that_are_down_leave_the_account() {
    let (course, notification) = (DownPeer::hold(), DownPeer::hold());
    let platform = Platform::with(|settings| {
        settings.service.upstreams.course.base_url = course.url();
        settings.service.upstreams.notification.base_url = notification.url();
    });
    let ada = platform.student("ada").await;
    let answer = overview_of(&ada).await.expect(200);
    let text = answer.text();
    assert!(
        text.contains("\"courses\":[]") && text.contains("\"stats\":{}"),
        "{text}"
    );
    assert!(text.contains("\"unread\":null"), "{text}");
    let overview: Overview = answer.json();
    let expected = ["courses", "stats", "unread"].map(|part| (part, "unreachable"));
    assert_eq!(missing(&overview), expected);
    assert_eq!(overview.user, ada.account().await);
}

#[tokio::test]
async fn a_slow_peer_costs_its_part_and_never_the_deadline() {
    let platform = Platform::start();
    let never = Gate::closed();
    platform
        .course
        .on(COURSES)
        .always(courses().held_by(&never));
    all_is_well_besides_courses(&platform);
    let ada = platform.student("ada").await;
    let began = Instant::now();
    let request = ada
        .client
        .get(&format!("/users/{}/overview", ada.id))
        .bearer(&ada.token);
    let answer = request.header("x-deadline-ms", 1_000).send().await;
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "well before the client's own five seconds"
    );
    let overview: Overview = answer.expect(200).json();
    assert_eq!(missing(&overview), [("courses", "deadline_exceeded")]);
    let asked = platform.course.requests();
    let granted: Vec<u64> = asked
        .iter()
        .map(|request| request.header("x-deadline-ms").unwrap().parse().unwrap())
        .collect();
    assert!(granted.iter().all(|millis| *millis < 1_000), "{granted:?}");
}

#[tokio::test]
async fn a_slow_peer_is_given_up_within_the_services_own_time() {
    let platform = Platform::with(|settings| {
        let course = &mut settings.service.upstreams.course;
        course.attempt_timeout_ms = 700;
        course.connect_timeout_ms = 700;
        course.total_timeout_ms = 1_000;
    });
    let never = Gate::closed();
    platform
        .course
        .on(COURSES)
        .always(courses().held_by(&never));
    all_is_well_besides_courses(&platform);
    let ada = platform.student("ada").await;
    let overview: Overview = overview_of(&ada).await.expect(200).json();
    let [(part, reason)] = missing(&overview)[..] else {
        panic!("{:?}", overview.degraded)
    };
    assert_eq!(part, "courses");
    assert!(
        ["timeout", "deadline_exceeded"].contains(&reason),
        "{reason}"
    );
    assert_eq!(overview.unread, Some(7));
}

#[tokio::test]
async fn a_peer_that_keeps_failing_is_left_alone_until_it_has_rested() {
    let platform = Platform::start();
    platform.course.on(COURSES).always(Answer::status(500));
    platform.course.on(STATS).always(Answer::status(500));
    platform.notification.on(UNREAD).always(unread());
    let ada = platform.student("ada").await;
    for _ in 0..5 {
        overview_of(&ada).await.expect(200);
    }
    let asked = platform.course.requests().len();
    let overview: Overview = overview_of(&ada).await.expect(200).json();
    let open = ["courses", "stats"].map(|part| (part, "circuit_open"));
    assert_eq!(missing(&overview), open);
    assert_eq!(
        platform.course.requests().len(),
        asked,
        "not asked while it rests"
    );
    let breakers = platform
        .app
        .operations()
        .get("/debug/breakers")
        .send()
        .await
        .expect(200);
    assert!(breakers.text().contains("course"));
}

#[tokio::test]
async fn nobody_sees_anothers_overview_and_a_missing_account_has_none() {
    let platform = Platform::start();
    all_is_well(&platform);
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    let path = format!("/users/{}/overview", ada.id);
    bob.get(&path).await.expect(404).problem();
    let admin = platform.admin().await;
    let overview: Overview = admin.get(&path).await.expect(200).json();
    assert_eq!(overview.user.id, ada.id);
    admin
        .get("/users/999999/overview")
        .await
        .expect(404)
        .problem();
}

#[tokio::test]
async fn a_missing_account_is_told_while_the_peers_still_think() {
    let platform = Platform::start();
    let never = Gate::closed();
    platform
        .course
        .on(COURSES)
        .always(courses().held_by(&never));
    platform.course.on(STATS).always(stats().held_by(&never));
    platform
        .notification
        .on(UNREAD)
        .always(unread().held_by(&never));
    let admin = platform.admin().await;
    let began = Instant::now();
    admin
        .get("/users/999999/overview")
        .await
        .expect(404)
        .problem();
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}
