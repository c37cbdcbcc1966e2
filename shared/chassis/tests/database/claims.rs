//! One replica at a time works on a row, and whoever was too slow writes nothing.

use std::collections::BTreeSet;

use lyceum_chassis::claims::{Claimable, Hold, claim, held, hold};
use lyceum_chassis::database::Database;
use lyceum_testing::database::TestDatabase;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, Set};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use self::errand::{ActiveModel, Entity, Model};
use crate::support::{database, per_engine, scalar};

const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
const LEASE: Duration = Duration::MINUTE;

mod errand {
    //! An errand.
    use sea_orm::entity::prelude::*;
    use time::OffsetDateTime;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "errands")]
    pub(crate) struct Model {
        #[sea_orm(primary_key)]
        pub(crate) id: i64,
        pub(crate) state: String,
        pub(crate) tries: i64,
        pub(crate) claims: i64,
        pub(crate) due_at: OffsetDateTime,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl Claimable for Entity {
    const STATE: &'static str = "state";
    const CLAIMED: &'static str = "running";
    const ALSO: &'static str = ", tries = tries + 1";

    fn claim_of(errand: &Model) -> (i64, i64) {
        (errand.id, errand.claims)
    }
}

/// So many errands, each due a second before the one that was written before it, and one that has
/// come to its end.
async fn errands(count: i64) -> (Database, TestDatabase) {
    let (database, place) = database().await;
    let moment = per_engine(&database, "TEXT", "TIMESTAMPTZ");
    let table = format!(
        "CREATE TABLE errands (id BIGINT PRIMARY KEY, state TEXT NOT NULL, \
         tries BIGINT NOT NULL, claims BIGINT NOT NULL, due_at {moment} NOT NULL)"
    );
    database.execute_unprepared(&table).await.unwrap();
    for id in 0..=count {
        let row = ActiveModel {
            id: Set(id),
            state: Set(if id == 0 { "done" } else { "queued" }.to_owned()),
            tries: Set(0),
            claims: Set(0),
            due_at: Set(NOW - Duration::seconds(id)),
        };
        let insert = sea_orm::EntityTrait::insert(row).exec_without_returning(&database);
        insert.await.unwrap();
    }
    (database, place)
}

async fn claimed(database: &Database, now: OffsetDateTime, limit: u64) -> Vec<i64> {
    let claimed = claim::<Entity>(database, now, now + LEASE, limit).await;
    claimed.unwrap().iter().map(|errand| errand.id).collect()
}

#[tokio::test]
async fn the_longest_due_is_claimed_first_and_by_nobody_else_until_the_lease_ends() {
    let (database, _place) = errands(5).await;
    assert_eq!(claimed(&database, NOW - Duration::HOUR, 9).await, [0; 0]);
    assert_eq!(claimed(&database, NOW, 2).await, [4, 5]);
    assert_eq!(claimed(&database, NOW, 9).await, [1, 2, 3]);
    assert_eq!(claimed(&database, NOW, 9).await, [0; 0]);
    let again = claim::<Entity>(&database, NOW + LEASE, NOW + 2 * LEASE, 9);
    let again = again.await.unwrap();
    let counts = |errand: &Model| (errand.tries, errand.claims) == (2, 2);
    assert!(again.len() == 5 && again.iter().all(counts), "{again:?}");
}

#[tokio::test]
async fn replicas_that_claim_at_once_share_what_is_due() {
    let (database, _place) = errands(40).await;
    let claims = (0..8).map(|_| claimed(&database, NOW, 5));
    let claimed = futures_util::future::join_all(claims).await.concat();
    let apart: BTreeSet<_> = claimed.iter().collect();
    assert_eq!(apart.len(), claimed.len(), "none twice: {claimed:?}");
}

#[tokio::test]
async fn a_claim_counts_until_the_row_is_claimed_anew_or_has_ended() {
    let (database, _place) = errands(1).await;
    let take = async |now| {
        claim::<Entity>(&database, now, now + LEASE, 1)
            .await
            .unwrap()
    };
    let old = take(NOW).await.remove(0);
    let prolong = hold(&database, &old, NOW + 2 * LEASE).await;
    assert_eq!(prolong.unwrap(), Hold::Kept);
    assert_eq!(take(NOW + LEASE).await, [], "it was prolonged");

    let newer = take(NOW + 2 * LEASE).await.remove(0);
    let prolong = hold(&database, &old, NOW + 9 * LEASE).await;
    assert_eq!(prolong.unwrap(), Hold::Lost);
    let end = |claim: &Model| held(claim).col_expr(errand::Column::State, Expr::value("done"));
    for (claim, hold) in [
        (&old, Hold::Lost),
        (&newer, Hold::Kept),
        (&newer, Hold::Lost),
    ] {
        let ended = end(claim).exec(&database).await.unwrap();
        assert_eq!(Hold::from(ended), hold);
    }
    let done = "SELECT COUNT(*) FROM errands WHERE state = 'done'";
    assert_eq!(scalar::<i64>(&database, done).await, 2);
}
