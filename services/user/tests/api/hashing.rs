//! Passwords are hashed beside the requests, not in their way, and a bounded number at a time.

use std::time::Instant;

use futures_util::future::{join, join_all};
use lyceum_testing::PATIENCE;

use crate::platform::{PASSWORD, Platform};

#[tokio::test]
async fn health_stays_quick_while_passwords_are_hashed() {
    const LOGINS: usize = 64;
    // One worker and one slot: a hash on the worker would hold up everything it does.
    let platform = Platform::with(|settings| {
        settings.platform.http.workers = 1;
        settings.service.passwords.concurrency = 1;
        settings.service.passwords.queue = LOGINS;
    });
    let began = Instant::now();
    let logins = async {
        let all = (0..LOGINS).map(|_| platform.logs_in("nobody@example.org", PASSWORD));
        let answers = join_all(all).await;
        assert!(answers.iter().all(|answer| answer.status == 401));
        began.elapsed()
    };
    let healths = async {
        let mut answers = Vec::new();
        let live = platform.app.operations();
        while answers.len() < 4 * LOGINS {
            platform.client().get("/health").send().await.expect(200);
            answers.push(began.elapsed());
            live.get("/health/live").send().await.expect(200);
            answers.push(began.elapsed());
        }
        answers
    };
    let (hashed, healthy) = join(logins, healths).await;
    let meanwhile = healthy.iter().filter(|at| **at < hashed).count();
    assert!(
        meanwhile > 2 * LOGINS,
        "{meanwhile} answers while {LOGINS} passwords were hashed"
    );
}

#[tokio::test]
async fn more_than_may_wait_are_told_when_to_come_back() {
    let platform = Platform::with(|settings| {
        settings.service.passwords.concurrency = 1;
        settings.service.passwords.queue = 2;
    });
    platform.registers("ada@example.org").await.expect(201);
    let all = (0..40).map(|_| platform.logs_in("ada@example.org", PASSWORD));
    let answers = join_all(all).await;
    let (served, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert!(
        !served.is_empty() && !refused.is_empty(),
        "{} served",
        served.len()
    );
    for answer in refused {
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.problem().r#type, "/problems/unavailable");
    }
    platform
        .logs_in("ada@example.org", PASSWORD)
        .await
        .expect(200);
}

#[tokio::test]
async fn callers_who_hang_up_leave_their_place_to_others() {
    let platform = Platform::with(|settings| {
        settings.service.passwords.concurrency = 1;
        settings.service.passwords.queue = 1;
    });
    for _ in 0..10 {
        let gone = platform.logs_in("nobody@example.org", PASSWORD);
        // Dropped while it is hashed or waits.
        drop(tokio::time::timeout(std::time::Duration::from_millis(1), gone).await);
    }
    let served = async {
        while platform
            .logs_in("nobody@example.org", PASSWORD)
            .await
            .status
            != 401
        {}
    };
    tokio::time::timeout(PATIENCE, served)
        .await
        .expect("places come free again");
}
