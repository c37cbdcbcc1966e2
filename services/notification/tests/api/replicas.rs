//! Two replicas on one database serve one person's streams.

use lyceum_testing::database::Engine;
use sea_orm::{ConnectionTrait, Statement};

use crate::platform::{Person, Platform, next_notification};

/// On Postgres they tell one another; on `SQLite` they look.
fn looks() -> bool {
    Engine::chosen() == Engine::Sqlite
}

#[tokio::test]
async fn what_one_replica_takes_in_is_told_on_the_streams_of_the_other() {
    let platform = Platform::with(|live| (live.sweep, live.sweep_ms) = (looks(), 10));
    let other = platform.replica(|live| (live.sweep, live.sweep_ms) = (looks(), 10));
    let here = platform.person(1);
    let there = Person {
        client: other.client().clone(),
        ..here.clone()
    };
    let (mut stream_here, _) = here.listens(None).await;
    let (mut stream_there, _) = there.listens(None).await;
    let (mut socket_there, _) = there.tunes_in(None).await;
    for seq in 1..=20 {
        platform.enrols(&here, "Logic").await;
        assert_eq!(next_notification(&mut stream_here).await.seq, seq);
        assert_eq!(next_notification(&mut stream_there).await.seq, seq);
        assert_eq!(socket_there.hears_notification().await.seq, seq);
    }
    drop((stream_here, socket_there));
    // A person who was cut off here goes on there.
    platform.enrols(&here, "Sets").await;
    let (mut back, welcome) = there.tunes_in(Some(20)).await;
    assert_eq!(welcome["recovered"], true);
    assert_eq!(back.hears_places(1).await, [21]);
    drop(other);
}

#[tokio::test]
async fn a_replica_whose_ear_is_cut_off_hears_again_and_has_missed_nothing() {
    if looks() {
        return;
    }
    let platform = Platform::start();
    let other = platform.replica(|_| {});
    let here = platform.person(1);
    let there = Person {
        client: other.client().clone(),
        ..here.clone()
    };
    let (mut socket, _) = there.tunes_in(None).await;
    platform.enrols(&here, "Logic").await;
    assert_eq!(socket.hears_places(1).await, [1]);
    let database = platform.app.database().connect().await;
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE application_name = 'lyceum-notification-listen' \
               AND datname = current_database()";
    for seq in 2..=6 {
        let cut = Statement::from_string(database.get_database_backend(), cut);
        database.query_all_raw(cut).await.unwrap();
        platform.enrols(&here, "Sets").await;
        assert_eq!(socket.hears_places(1).await, [seq]);
    }
    drop(other);
}
