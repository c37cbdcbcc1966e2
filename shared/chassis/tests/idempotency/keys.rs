//! What a key does for whom.

use futures_util::future::join_all;
use lyceum_testing::http::Response;

use crate::ledger::Office;

/// What a repeat must have in common with the first answer.
fn essence(answer: &Response) -> (u16, Option<String>, Option<String>, Option<String>, String) {
    let header = |name| answer.header(name).map(str::to_owned);
    (
        answer.status,
        header("location"),
        header("etag"),
        header("content-type"),
        answer.text(),
    )
}

fn replayed(answer: &Response) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

#[tokio::test]
async fn a_key_sent_again_is_answered_as_before_and_says_so() {
    let office = Office::open();
    let first = office.send("k-1", "rent", 5).await.expect(201);
    assert_eq!(first.header("location"), Some("/entries/1"));
    assert_eq!(first.header("etag"), Some("\"v1\""));
    assert!(!replayed(&first));
    for sent in ["k-1", "\"k-1\"", " k-1 "] {
        let again = office.send(sent, "rent", 5).await;
        assert_eq!(essence(&again), essence(&first), "{sent}");
        assert!(replayed(&again));
        assert_eq!(again.header("cache-control"), Some("no-store"));
    }
    assert_eq!(office.entries("rent").await, 1);
}

#[tokio::test]
async fn without_a_key_every_request_has_its_effect() {
    let office = Office::open();
    for _ in 0..2 {
        let request = office.post("/entries", "rent", 5).bearer(office.token(1));
        assert!(!replayed(&request.send().await.expect(201)));
    }
    assert_eq!((office.entries("rent").await, office.keys().await), (2, 0));
}

#[tokio::test]
async fn a_key_with_another_request_is_422_and_has_no_effect() {
    let office = Office::open();
    office.send("k-1", "rent", 5).await.expect(201);
    for (note, amount) in [("rent", 6), ("food", 5)] {
        let problem = office.send("k-1", note, amount).await.expect(422).problem();
        assert_eq!(problem.r#type, "/problems/idempotency-key-reused");
    }
    assert!(replayed(&office.send("k-1", "rent", 5).await.expect(201)));
    assert_eq!((office.entries("rent").await, office.keys().await), (1, 1));

    let account = |id| format!("/accounts/{id}/entries");
    let pay = |id| {
        let request = office.post(&account(id), "loan", 5);
        request.header("idempotency-key", "k-2").send()
    };
    pay(1).await.expect(201);
    pay(2).await.expect(422);
    assert_eq!(office.entries("loan").await, 1, "another path of one route");
}

#[tokio::test]
async fn fifty_at_once_under_one_key_have_one_effect_and_fifty_equal_answers() {
    let office = Office::open();
    let all = (0..50).map(|_| office.send("k-1", "rent", 5));
    let answers = join_all(all).await;
    let first = essence(&answers[0]);
    assert_eq!(first.0, 201);
    assert!(answers.iter().all(|answer| essence(answer) == first));
    let again = answers.iter().filter(|answer| replayed(answer)).count();
    assert_eq!(again, 49);
    assert_eq!(office.entries("rent").await, 1);
}

#[tokio::test]
async fn fifty_at_once_that_disagree_about_a_key_have_one_effect() {
    let office = Office::open();
    let all = (0..50).map(|amount| office.send("k-1", "rent", amount));
    let answers = join_all(all).await;
    let with = |status| answers.iter().filter(move |answer| answer.status == status);
    assert_eq!((with(201).count(), with(422).count()), (1, 49));
    assert_eq!(office.entries("rent").await, 1);
}

#[tokio::test]
async fn a_failure_is_not_kept_and_may_be_asked_again() {
    let office = Office::open();
    office.send("k-1", "rent", -5).await.expect(409);
    office.send("k-1", "rent", -5).await.expect(409);
    assert_eq!((office.entries("rent").await, office.keys().await), (0, 0));
    office.send("k-2", "wages", 10).await.expect(201);
    assert!(!replayed(&office.send("k-1", "rent", -5).await.expect(201)));
    assert!(replayed(&office.send("k-1", "rent", -5).await.expect(201)));
    assert_eq!(office.entries("rent").await, 1);
}

#[tokio::test]
async fn callers_and_routes_do_not_share_their_keys() {
    let office = Office::open();
    let tokens = [
        office.token(1),
        office.token(2),
        office.app.token_of("course"),
        office.app.token_of("user"),
    ];
    for token in &tokens {
        for again in [false, true] {
            let request = office.post("/entries", "rent", 5).bearer(token);
            let answer = request.header("idempotency-key", "k-1").send().await;
            assert_eq!(replayed(&answer.expect(201)), again);
        }
    }
    for again in [false, true] {
        let request = office.post("/suggestions", "rent", 5);
        let answer = request.header("idempotency-key", "k-1").send().await;
        assert_eq!(replayed(&answer.expect(201)), again);
    }
    assert_eq!(office.entries("rent").await, 5);
}

#[tokio::test]
async fn what_is_no_key_is_400_and_names_the_header() {
    let office = Office::open();
    let long = "k".repeat(256);
    for key in ["", "\"\"", "\"k", "\"k\";a=1", "k\tk", "schlüssel", &long] {
        let problem = office.send(key, "rent", 5).await.expect(400).problem();
        assert_eq!(problem.r#type, "/problems/malformed-request");
        assert!(problem.detail.unwrap().contains("Idempotency-Key"), "{key}");
    }
    let request = office.post("/entries", "rent", 5).bearer(office.token(1));
    let twice = request.header("idempotency-key", "k-1");
    twice
        .header("idempotency-key", "k-1")
        .send()
        .await
        .expect(400);
    assert_eq!(office.entries("rent").await, 0);
    office.send(&long[1..], "rent", 5).await.expect(201);
}

#[tokio::test]
async fn an_answer_too_large_to_keep_has_no_effect() {
    let office = Office::open();
    let note = "x".repeat(8 * 1024 * 1024);
    office.send("k-1", &note, 5).await.expect(500);
    assert!(office.effects().await.is_empty());
    assert_eq!(office.keys().await, 0);
}
