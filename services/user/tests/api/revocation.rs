//! Access tokens that stop counting before they end.

use std::time::{Duration, Instant};

use lyceum_contracts::revocation::{Revocation, RevocationPage, RevokedTokens};
use lyceum_contracts::user::Session;
use lyceum_testing::http::Response;
use sea_orm::{ConnectionTrait, Statement};

use crate::platform::{PASSWORD, Person, Platform};

const NEW: &str = "a heron on one leg";

/// Within this a token that was called in is refused everywhere.
const BOUND: Duration = Duration::from_secs(2);

impl Platform {
    async fn asks_for_revocations(&self, query: &str) -> Response {
        let path = format!("/internal/revocations{query}");
        let token = self.app.token_of("course");
        self.client().get(&path).bearer(token).send().await
    }

    async fn revocations_after(&self, after: i64) -> RevocationPage {
        let query = format!("?after={after}");
        self.asks_for_revocations(&query).await.expect(200).json()
    }

    /// Another process of the service on the same database.
    pub(crate) fn replica(&self) -> Self {
        let url = self.app.database().url().to_owned();
        Self::with(|settings| settings.platform.database.url = url.into())
    }
}

pub(crate) fn refused(answer: Response) {
    let answer = answer.expect(401);
    let challenge = answer.header("www-authenticate");
    assert_eq!(challenge, Some("Bearer error=\"invalid_token\""));
}

/// Asks as `person` until the answer is 401; how long that took.
async fn refused_within_the_bound(platform: &Platform, person: &Person) -> Duration {
    let begun = Instant::now();
    loop {
        let answer = platform
            .client()
            .get("/users/me")
            .bearer(&person.token)
            .send();
        if answer.await.status == 401 {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < BOUND, "still counts after {BOUND:?}");
    }
}

#[tokio::test]
async fn a_token_of_a_session_that_was_signed_out_is_refused_at_once_and_no_other() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let bob = platform.student("bob").await;
    let elsewhere: Session = platform
        .logs_in(&ada.email, PASSWORD)
        .await
        .expect(200)
        .json();
    platform.logs_out(&ada.refresh_token).await.expect(204);
    refused(ada.get("/users/me").await);
    let still = platform.client().get("/users/me");
    still
        .bearer(elsewhere.access_token)
        .send()
        .await
        .expect(200);
    bob.get("/users/me").await.expect(200);
}

#[tokio::test]
async fn a_token_that_is_remembered_is_refused_as_soon_as_it_is_called_in() {
    let platform = Platform::start();
    let (ada, admin) = (platform.student("ada").await, platform.admin().await);
    let bob = platform.student("bob").await;
    for _ in 0..3 {
        ada.get("/users/me").await.expect(200);
        bob.get("/users/me").await.expect(200);
    }
    platform.logs_out(&ada.refresh_token).await.expect(204);
    refused(ada.get("/users/me").await);
    refused(ada.get("/users/me").await);
    let promotion = serde_json::json!({"role": "instructor"});
    admin.patches(bob.id, &promotion).await.expect(200);
    refused(bob.get("/users/me").await);
}

#[tokio::test]
async fn a_refresh_token_that_comes_back_calls_the_access_tokens_of_its_session_in() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let next: Session = platform
        .refreshes(&ada.refresh_token)
        .await
        .expect(200)
        .json();
    let third = platform.refreshes(&next.refresh_token).await.expect(200);
    let third: Session = third.json();
    platform.refreshes(&ada.refresh_token).await.expect(401);
    for token in [ada.token, next.access_token, third.access_token] {
        let answer = platform.client().get("/users/me").bearer(token).send();
        refused(answer.await);
    }
}

#[tokio::test]
async fn a_new_role_calls_the_tokens_of_the_old_one_in_and_the_session_goes_on() {
    let platform = Platform::start();
    let (cyd, admin) = (platform.instructor("cyd").await, platform.admin().await);
    let demotion = serde_json::json!({"role": "student"});
    admin.patches(cyd.id, &demotion).await.expect(200);
    refused(cyd.get("/users/me").await);
    let next = platform.refreshes(&cyd.refresh_token).await.expect(200);
    let next: Session = next.json();
    let me = platform.client().get("/users/me").bearer(next.access_token);
    me.send().await.expect(200);
    admin.get("/users/me").await.expect(200);
}

#[tokio::test]
async fn a_change_of_the_password_calls_the_tokens_of_the_other_sessions_in_at_once() {
    let platform = Platform::start();
    let elsewhere = platform.student("ada").await;
    let here = platform.signs_in(&elsewhere.email, PASSWORD).await;
    let change = here.changes_password(PASSWORD, NEW).await;
    change.expect(204);
    refused(elsewhere.get("/users/me").await);
    here.get("/users/me").await.expect(200);
}

#[tokio::test]
async fn a_password_set_anew_by_a_letter_calls_all_tokens_in_at_once() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.forgets(&ada.email).await.expect(202);
    let letter = platform.letter().await;
    platform.resets(&letter.token, NEW).await.expect(204);
    refused(ada.get("/users/me").await);
}

#[tokio::test]
async fn an_account_that_is_shut_or_deleted_is_not_spoken_for_from_then_on() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let ada = platform.student("ada").await;
    admin.disables(ada.id).await.expect(200);
    refused(ada.get("/users/me").await);
    let bob = platform.student("bob").await;
    bob.deletes_account(bob.id).await.expect(204);
    refused(bob.get("/users/me").await);
}

#[tokio::test]
async fn a_change_in_bulk_calls_the_tokens_of_each_account_in_at_once() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let ada = platform.student("ada").await;
    let bob = platform.student("bob").await;
    let cyd = platform.student("cyd").await;
    let changes = serde_json::json!({"items": [
        {"id": ada.id, "role": "instructor"},
        {"id": bob.id, "status": "disabled"},
        {"id": cyd.id, "full_name": "Cyd Charisse"},
    ]});
    let request = platform.client().patch("/users/bulk").bearer(&admin.token);
    request.json(&changes).send().await.expect(207);
    refused(ada.get("/users/me").await);
    refused(bob.get("/users/me").await);
    cyd.get("/users/me").await.expect(200);
}

#[tokio::test]
async fn a_login_too_many_calls_the_tokens_of_the_oldest_session_in_at_once() {
    let platform = Platform::with(|settings| settings.service.tokens.sessions_per_account = 2);
    let oldest = platform.student("ada").await;
    let second = platform.signs_in(&oldest.email, PASSWORD).await;
    oldest.get("/users/me").await.expect(200);
    platform.logs_in(&oldest.email, PASSWORD).await.expect(200);
    refused(oldest.get("/users/me").await);
    second.get("/users/me").await.expect(200);
}

#[tokio::test]
async fn a_change_that_is_no_change_of_role_calls_nothing_in() {
    let platform = Platform::start();
    let (ada, admin) = (platform.student("ada").await, platform.admin().await);
    for patch in [
        serde_json::json!({"role": "student"}),
        serde_json::json!({"full_name": "Ada Byron"}),
    ] {
        admin.patches(ada.id, &patch).await.expect(200);
    }
    ada.get("/users/me").await.expect(200);
    assert_eq!(platform.revocations_after(0).await.next, 0);
}

#[tokio::test]
async fn a_service_that_waits_for_news_is_told_when_there_is_some() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let waiting = platform.asks_for_revocations("?after=0&wait_ms=2000");
    let signing_out = async {
        platform.logs_out(&ada.refresh_token).await.expect(204);
        Instant::now()
    };
    let (told, signed_out) = tokio::join!(
        async { (waiting.await.expect(200), Instant::now()) },
        signing_out
    );
    let (answer, told_at) = told;
    assert!(told_at.saturating_duration_since(signed_out) < Duration::from_millis(500));
    let page: RevocationPage = answer.json();
    let [revocation] = &page.items[..] else {
        panic!("{page:?}")
    };
    assert_eq!((revocation.user_id, revocation.seq), (ada.id, page.next));
    assert!(matches!(revocation.tokens, RevokedTokens::OfSession { .. }));
    let remembered = revocation.expires_at - revocation.revoked_at;
    assert_eq!(remembered, Duration::from_secs(3_630));
    assert!(platform.revocations_after(page.next).await.items.is_empty());
}

#[tokio::test]
async fn without_news_the_answer_is_held_back_for_as_long_as_was_asked() {
    let platform = Platform::start();
    let begun = Instant::now();
    let answer = platform.asks_for_revocations("?wait_ms=300").await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    let page: RevocationPage = answer.expect(200).json();
    assert_eq!((page.items, page.next), (vec![], 0));
}

#[tokio::test]
async fn a_place_or_a_wait_that_cannot_be_is_refused_by_name() {
    let platform = Platform::start();
    for (query, pointer) in [
        ("?after=-1", "?after"),
        ("?after=x", "?after"),
        ("?wait_ms=2001", "?wait_ms"),
        ("?wait_ms=-1", "?wait_ms"),
        ("?since=1", "?since"),
    ] {
        let problem = platform.asks_for_revocations(query).await.expect(422);
        assert_eq!(problem.problem().errors[0].pointer, pointer, "{query}");
    }
}

#[tokio::test]
async fn a_place_that_was_never_given_begins_the_list_anew() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.logs_out(&ada.refresh_token).await.expect(204);
    let page = platform.revocations_after(999).await;
    assert_eq!((page.items.len(), page.next), (1, 1));
}

#[tokio::test]
async fn a_revocation_that_was_written_first_and_committed_last_is_told_last() {
    let platform = Platform::start();
    let (ada, bob) = (platform.student("ada").await, platform.student("bob").await);
    platform.logs_out(&ada.refresh_token).await.expect(204);
    let database = platform.app.database().connect().await;
    let run = async |sql: &str| {
        database.execute_unprepared(sql).await.unwrap();
    };
    // As if another transaction had taken the id before and taken its time.
    run("UPDATE revocations SET id = 50").await;
    let first = platform.revocations_after(0).await;
    platform.logs_out(&bob.refresh_token).await.expect(204);
    run("UPDATE revocations SET seq = NULL, id = 10 WHERE id <> 50").await;
    let second = loop {
        let page = platform.revocations_after(first.next).await;
        if !page.items.is_empty() {
            break page;
        }
    };
    let people =
        |page: &RevocationPage| -> Vec<_> { page.items.iter().map(|it| it.user_id).collect() };
    assert_eq!(
        (people(&first), people(&second)),
        (vec![ada.id], vec![bob.id])
    );
}

#[tokio::test]
async fn another_process_of_the_service_refuses_what_this_one_called_in() {
    let platform = Platform::start();
    let replica = platform.replica();
    let ada = platform.student("ada").await;
    let there = replica.client().get("/users/me").bearer(&ada.token);
    there.send().await.expect(200);
    platform.logs_out(&ada.refresh_token).await.expect(204);
    refused_within_the_bound(&replica, &ada).await;
}

#[tokio::test]
async fn a_process_that_starts_knows_what_was_called_in_before() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    platform.logs_out(&ada.refresh_token).await.expect(204);
    let later = platform.replica();
    let answer = later.client().get("/users/me").bearer(&ada.token).send();
    refused(answer.await);
}

#[tokio::test]
async fn what_is_of_no_use_any_more_is_forgotten_and_its_place_is_not_given_again() {
    let platform = Platform::start();
    for name in ["ada", "bob"] {
        let person = platform.student(name).await;
        platform.logs_out(&person.refresh_token).await.expect(204);
    }
    let database = platform.app.database().connect().await;
    let past = "UPDATE revocations SET expires_at = '2020-01-01T00:00:00.000000Z'";
    database.execute_unprepared(past).await.unwrap();
    assert_eq!(platform.revocations_after(0).await.items, vec![]);

    // The loop of another process begins by tidying up.
    let _replica = platform.replica();
    let backend = database.get_database_backend();
    let count = || async {
        let query = Statement::from_string(backend, "SELECT COUNT(*) FROM revocations");
        let row = database.query_one_raw(query).await.unwrap().unwrap();
        row.try_get_by_index::<i64>(0).unwrap()
    };
    let begun = Instant::now();
    while count().await > 1 {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "nothing is forgotten"
        );
    }
    let cyd = platform.student("cyd").await;
    platform.logs_out(&cyd.refresh_token).await.expect(204);
    let places: Vec<i64> = platform
        .revocations_after(0)
        .await
        .items
        .iter()
        .map(|Revocation { seq, .. }| *seq)
        .collect();
    assert_eq!(places, [3]);
}
