//! What is forgotten, and when.

use lyceum_chassis::clock;
use sea_orm::ConnectionTrait;
use time::Duration;

use crate::ledger::Office;

#[tokio::test]
async fn a_key_is_forgotten_when_its_day_is_over_and_may_then_be_used_anew() {
    let office = Office::open();
    let before = clock::now();
    office.send("k-1", "rent", 5).await.expect(201);
    let prune = |at| office.pruner.prune(at);
    assert_eq!(prune(before + Duration::DAY).await.unwrap(), 0);
    office.send("k-1", "food", 5).await.expect(422);

    let after = clock::now() + Duration::DAY + Duration::SECOND;
    assert_eq!(prune(after).await.unwrap(), 1);
    assert_eq!(prune(after).await.unwrap(), 0);
    office.send("k-1", "food", 5).await.expect(201);
    assert_eq!(office.entries("rent").await, 1, "the effect stays");
}

#[tokio::test]
async fn old_keys_leave_in_batches_and_young_ones_stay() {
    let office = Office::open();
    let database = office.app.database().connect().await;
    let row = |id: i64, created_at: &str| {
        format!("({id}, 'anybody', 'POST /entries', 'k-{id}', '', {created_at})")
    };
    let old = (1..=1_234).map(|id| row(id, "'2026-01-01T00:00:00.000000Z'"));
    let young = (1_235..=1_240).map(|id| row(id, "'2026-01-03T00:00:00.000000Z'"));
    let rows: Vec<_> = old.chain(young).collect();
    let insert = format!(
        "INSERT INTO idempotency_keys (id, owner, route, key, fingerprint, created_at) VALUES {}",
        rows.join(", ")
    );
    database.execute_unprepared(&insert).await.unwrap();

    let now = time::macros::datetime!(2026-01-03 12:00 UTC);
    assert_eq!(office.pruner.prune(now).await.unwrap(), 1_234);
    assert_eq!(office.keys().await, 6);
}
