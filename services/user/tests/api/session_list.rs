//! A person's sessions: seen, and ended one by one or all at once.

use lyceum_contracts::page::Page;
use lyceum_contracts::user::{OpenSession, Session};
use lyceum_testing::http::Response;
use serde_json::{Value, json};
use time::Duration;

use crate::platform::{PASSWORD, Person, Platform};
use crate::sessions::{ended, session};

fn open_sessions(answer: Response) -> Vec<OpenSession> {
    answer.expect(200).json::<Page<OpenSession>>().items
}

impl Platform {
    async fn logs_in_with(&self, person: &Person, agent: &str) -> Session {
        let body = json!({"email": person.email, "password": PASSWORD});
        let login = self
            .client()
            .post("/auth/login")
            .header("user-agent", agent);
        session(login.json(&body).send().await)
    }
}

#[tokio::test]
async fn a_person_sees_each_of_their_sessions_newest_first_and_which_one_asks() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.student("bob").await;
    platform.logs_in_with(&ada, "Tablet/2").await;
    platform.logs_in_with(&ada, &"x".repeat(300)).await;
    let list = open_sessions(ada.get("/sessions").await);
    let current: Vec<_> = list.iter().map(|session| session.current).collect();
    assert_eq!(current, [false, false, true]);
    assert_eq!(list[0].user_agent, Some("x".repeat(200)));
    assert_eq!(list[1].user_agent.as_deref(), Some("Tablet/2"));
    assert!(list[0].id > list[1].id && list[1].id > list[2].id);
    assert!(
        list.iter()
            .all(|session| session.last_seen_at == session.opened_at)
    );

    let answer = ada.get("/sessions?limit=2").await.expect(200);
    assert!(answer.header("link").is_some());
    let page: Page<OpenSession> = answer.json();
    let path = format!("/sessions?cursor={}", page.next_cursor.unwrap());
    let rest = open_sessions(ada.get(&path).await);
    assert_eq!([page.items, rest].concat(), list);
}

#[tokio::test]
async fn a_session_was_last_seen_when_it_was_refreshed_and_not_when_it_was_used() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.passes(Duration::HOUR).await;
    ada.account().await;
    let [unseen] = &open_sessions(ada.get("/sessions").await)[..] else {
        panic!("one session");
    };
    assert_eq!(unseen.last_seen_at, unseen.opened_at);
    session(platform.refreshes(&ada.refresh_token).await);
    let [seen] = &open_sessions(ada.get("/sessions").await)[..] else {
        panic!("one session");
    };
    assert_eq!(seen.opened_at, unseen.opened_at);
    assert!(seen.last_seen_at - seen.opened_at >= Duration::HOUR);
}

#[tokio::test]
async fn what_has_ended_or_expired_is_not_listed() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let gone = platform.logs_in_with(&ada, "gone").await;
    platform.logs_out(&gone.refresh_token).await.expect(204);
    assert_eq!(open_sessions(ada.get("/sessions").await).len(), 1);
    platform.passes(Duration::days(30)).await;
    assert_eq!(open_sessions(ada.get("/sessions").await).len(), 0);
}

#[tokio::test]
async fn a_person_ends_one_of_their_sessions_and_the_others_go_on() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let phone = platform.logs_in_with(&ada, "Phone/1").await;
    let list = open_sessions(ada.get("/sessions").await);
    let path = format!("/sessions/{}", list[0].id);
    ada.deletes(&path).await.expect(204);
    ended(platform.refreshes(&phone.refresh_token).await);
    session(platform.refreshes(&ada.refresh_token).await);
    ada.deletes(&path).await.expect(404).problem();
}

#[tokio::test]
async fn somebody_elses_session_is_not_found_and_goes_on() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let bob = platform.student("bob").await;
    let [of_ada] = &open_sessions(ada.get("/sessions").await)[..] else {
        panic!("one session");
    };
    for caller in [&bob, &platform.admin().await] {
        let mut foreign = caller
            .deletes(&format!("/sessions/{}", of_ada.id))
            .await
            .expect(404)
            .problem();
        let mut missing = caller
            .deletes("/sessions/987654")
            .await
            .expect(404)
            .problem();
        for problem in [&mut foreign, &mut missing] {
            (problem.trace_id, problem.instance) = (None, None);
        }
        assert_eq!(foreign, missing);
    }
    for id in ["0", "-1", "abc", "9223372036854775808"] {
        ada.deletes(&format!("/sessions/{id}")).await.expect(404);
    }
    session(platform.refreshes(&ada.refresh_token).await);
}

#[tokio::test]
async fn signing_out_everywhere_ends_each_of_the_persons_sessions_and_nobody_elses() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let bob = platform.student("bob").await;
    let elsewhere = session(platform.logs_in(&ada.email, PASSWORD).await);
    let answer = ada.deletes("/sessions").await.expect(204);
    assert!(answer.body.is_empty());
    ended(platform.refreshes(&ada.refresh_token).await);
    ended(platform.refreshes(&elsewhere.refresh_token).await);
    session(platform.refreshes(&bob.refresh_token).await);
    session(platform.logs_in(&ada.email, PASSWORD).await);
}

#[tokio::test]
async fn an_admin_sees_and_ends_the_sessions_of_a_person() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let admin = platform.admin().await;
    platform.logs_in_with(&ada, "Phone/1").await;
    let path = format!("/users/{}/sessions", ada.id);
    let list = open_sessions(admin.get(&path).await);
    assert_eq!(list.len(), 2);
    assert!(list.iter().all(|session| !session.current));
    admin.deletes(&path).await.expect(204);
    assert_eq!(open_sessions(admin.get(&path).await).len(), 0);
    ended(platform.refreshes(&ada.refresh_token).await);
    session(platform.refreshes(&admin.refresh_token).await);

    let missing = "/users/987654/sessions";
    admin.get(missing).await.expect(404);
    admin.deletes(missing).await.expect(404);
    let audit = format!("/audit?user_id={}&action=sessions_ended", ada.id);
    let kept: Value = admin.get(&audit).await.expect(200).json();
    assert_eq!(kept["items"][0]["actor_id"], json!(admin.id), "{kept}");
}
