//! What the time of an answer says: nothing about whether there is an account.
//!
//! Each test fails once in ten thousand runs though nothing is wrong; see `lyceum_testing::timing`.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use lyceum_testing::timing::Samples;

use crate::platform::{PASSWORD, Platform};

/// Enough to see two medians apart by less than the spread of either.
const ROUNDS: usize = 150;

#[tokio::test]
async fn a_login_takes_as_long_for_an_unknown_address_as_for_a_wrong_password() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let wrong = async || {
        let answer = platform.logs_in(&ada.email, "wrong horse battery").await;
        answer.expect(401);
    };
    let unknown = async || {
        let answer = platform.logs_in("nobody@example.org", PASSWORD).await;
        answer.expect(401);
    };
    Samples::take(ROUNDS, wrong, unknown).await.assert_alike();
}

#[tokio::test]
async fn a_login_takes_as_long_for_a_shut_account_as_for_a_wrong_password() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    let bob = platform.student("bob").await;
    platform
        .changes("UPDATE users SET status = 'disabled' WHERE email_folded LIKE 'bob@%'")
        .await;
    let wrong = async || {
        let answer = platform.logs_in(&ada.email, "wrong horse battery").await;
        answer.expect(401);
    };
    let shut = async || {
        platform.logs_in(&bob.email, PASSWORD).await.expect(401);
    };
    Samples::take(ROUNDS, wrong, shut).await.assert_alike();
}

#[tokio::test]
async fn a_letter_is_promised_in_the_time_in_which_none_is() {
    // Each answer waits for its moment, so several are asked for side by side.
    const CHAINS: usize = 3;
    let platform = Platform::start();
    platform.student("ada").await;
    // An account is promised one letter an hour: everybody asks once.
    let people = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) \
                  INSERT INTO users (email, email_folded, full_name, full_name_folded, password_hash, role, \
                  version, created_at, updated_at, status, token_version) \
                  SELECT 'u' || i || '@b.org', 'u' || i || '@b.org', full_name, full_name_folded, password_hash, role, \
                  version, created_at, updated_at, status, token_version FROM n, users \
                  WHERE email_folded = 'ada@example.org'";
    assert_eq!(platform.changes(people).await, 300);
    let (asked, platform) = (&AtomicUsize::new(0), &platform);
    let chain = || async move {
        let promised = async || {
            let number = asked.fetch_add(1, Ordering::Relaxed) + 1;
            let email = format!("u{number}@b.org");
            platform.forgets(&email).await.expect(202);
        };
        let unknown = async || {
            platform.forgets("nobody@example.org").await.expect(202);
        };
        Samples::take(ROUNDS / CHAINS, promised, unknown).await
    };
    let samples = join_all((0..CHAINS).map(|_| chain())).await;
    let promised = platform.promises().await.len();
    assert_eq!(promised, asked.load(Ordering::Relaxed));
    samples.into_iter().collect::<Samples>().assert_alike();
}

#[tokio::test]
async fn the_instrument_tells_a_login_that_hashes_nothing_from_one_that_does() {
    let platform = Platform::start();
    let hashed = async || {
        let answer = platform.logs_in("nobody@example.org", PASSWORD).await;
        answer.expect(401);
    };
    let refused = async || {
        let answer = platform.client().post("/auth/login").send().await;
        answer.expect(415);
    };
    assert!(Samples::take(30, hashed, refused).await.differ());
}
