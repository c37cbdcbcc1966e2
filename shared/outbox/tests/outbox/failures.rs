//! A peer that cannot is waited for; an event that cannot be taken is set aside.

use std::time::Duration;

use lyceum_contracts::problem::ProblemKind;
use lyceum_outbox::Outcome;
use lyceum_testing::peer::{Answer, Gate, Received};
use sea_orm::ConnectionTrait;

use crate::kit::{EVENTS, Kit, PATIENCE, envelopes, told_and_dead, users, yes};

#[tokio::test]
async fn a_peer_that_cannot_is_told_later_in_the_same_order() {
    for answer in [
        Answer::status(500),
        Answer::status(503),
        Answer::status(401),
        Answer::status(404),
        Answer::status(429),
        Answer::reset(),
        Answer::garbage("what?"),
        Answer::text(200, "not a receipt"),
    ] {
        let kit = Kit::start().await;
        kit.peer.on(EVENTS).then(answer.clone()).then(yes());
        let relay = kit.relay();
        kit.push(1..=3).await;

        let failed = relay.deliver_pending().await.unwrap();
        assert_eq!(told_and_dead(failed), (0, 0), "{answer:?}");
        assert!(
            matches!(failed.outcome, Outcome::PeerUnavailable { .. }),
            "{answer:?}"
        );
        assert_eq!(relay.pending_count().await.unwrap(), 3);

        kit.push([4]).await;
        let pass = relay.deliver_pending().await.unwrap();
        assert_eq!(
            (told_and_dead(pass), pass.outcome),
            ((4, 0), Outcome::Drained)
        );
        assert_eq!(kit.told(), [vec![1, 2, 3], vec![1, 2, 3, 4]]);
        let sent: Vec<_> = kit
            .peer
            .requests()
            .iter()
            .map(|request| envelopes(request)[0].event_id)
            .collect();
        assert_eq!(sent[0], sent[1], "an event keeps its id");
    }
}

#[tokio::test]
async fn a_peer_that_names_a_time_is_left_alone_that_long() {
    let kit = Kit::start().await;
    kit.peer
        .on(EVENTS)
        .then(Answer::status(503).header("retry-after", "7"));
    kit.push([1]).await;
    let pass = kit.relay().deliver_pending().await.unwrap();
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(pass.outcome, Outcome::PeerUnavailable { retry_after });
}

#[tokio::test]
async fn a_poison_event_is_set_aside_and_the_others_are_told() {
    for culprit in [1, 4, 6] {
        let kit = Kit::start().await;
        kit.peer.on(EVENTS).always_with(move |request: &Received| {
            if users(request).contains(&culprit) {
                Answer::json(422, &ProblemKind::ValidationError.problem())
            } else {
                yes()
            }
        });
        let relay = kit.relay();
        kit.push(1..=6).await;

        let pass = relay.deliver_pending().await.unwrap();
        assert_eq!(
            (told_and_dead(pass), pass.outcome),
            ((5, 1), Outcome::Drained)
        );
        assert_eq!(relay.pending_count().await.unwrap(), 0);
        assert_eq!(relay.dead_count().await.unwrap(), 1);
        let taken: Vec<i64> = kit
            .told()
            .into_iter()
            .filter(|users| !users.contains(&culprit))
            .flatten()
            .collect();
        let others: Vec<i64> = (1..=6).filter(|user| *user != culprit).collect();
        assert_eq!(taken, others, "in order, each once");

        let dead = "SELECT reason FROM outbox_dead";
        let row = kit.database.query_one_raw(sea_orm::Statement::from_string(
            kit.database.get_database_backend(),
            dead,
        ));
        let reason: String = row.await.unwrap().unwrap().try_get_by_index(0).unwrap();
        assert_eq!(reason, "refused with status 422");
    }
}

#[tokio::test]
async fn an_outage_while_poison_is_looked_for_loses_nothing() {
    let kit = Kit::start().await;
    let refusal = Answer::json(422, &ProblemKind::ValidationError.problem());
    kit.peer
        .on(EVENTS)
        .then(refusal.clone())
        .then(yes())
        .then(Answer::status(503))
        .always(yes());
    let relay = kit.relay();
    kit.push(1..=4).await;

    let pass = relay.deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (2, 0));
    let pass = relay.deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (2, 0));
    assert_eq!(
        kit.told(),
        [vec![1, 2, 3, 4], vec![1, 2], vec![3, 4], vec![3, 4]]
    );
}

#[tokio::test]
async fn an_event_of_a_newer_release_waits_for_a_relay_that_knows_it() {
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).then(yes()).then(yes());
    let relay = kit.relay();
    kit.push(1..=2).await;
    make_the_first_unknown(&kit, Duration::from_mins(50)).await;

    let pass = relay.deliver_pending().await.unwrap();
    assert_eq!(
        (told_and_dead(pass), pass.outcome),
        ((1, 0), Outcome::Drained)
    );
    assert_eq!(relay.pending_count().await.unwrap(), 1);

    let known = r#"UPDATE outbox SET payload = '{"type":"user.registered","data":{"user_id":1}}'"#;
    kit.database.execute_unprepared(known).await.unwrap();
    kit.end_leases().await;
    let pass = kit.relay().deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (1, 0));
    assert_eq!(kit.told(), [vec![2], vec![1]]);
}

#[tokio::test]
async fn a_row_that_no_release_knew_for_an_hour_is_set_aside_unsent() {
    let kit = Kit::start().await;
    kit.peer.on(EVENTS).then(yes());
    let relay = kit.relay();
    kit.push(1..=2).await;
    make_the_first_unknown(&kit, Duration::from_mins(61)).await;

    let pass = relay.deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (1, 1));
    assert_eq!(kit.told(), [vec![2]]);
}

/// The first row becomes an event this release does not know, written `age` ago.
async fn make_the_first_unknown(kit: &Kit, age: Duration) {
    let unknown = r#"UPDATE outbox SET payload = '{"type":"from.the.future"}', occurred_at = $1
        WHERE id = (SELECT min(id) FROM outbox)"#;
    let update = sea_orm::Statement::from_sql_and_values(
        kit.database.get_database_backend(),
        unknown,
        [(lyceum_chassis::clock::now() - age).into()],
    );
    kit.database.execute_raw(update).await.unwrap();
}

#[tokio::test]
async fn a_yes_that_could_not_be_noted_is_asked_for_again_and_the_event_is_the_same() {
    let kit = Kit::start().await;
    let gate = Gate::closed();
    kit.peer.on(EVENTS).then(yes().held_by(&gate)).then(yes());
    kit.push([1]).await;

    let relay = kit.relay();
    let unlucky = tokio::task::spawn(async move { relay.deliver_pending().await });
    kit.peer.wait_for_requests(1, PATIENCE).await;
    // The peer says yes, and the row cannot be deleted: as if killed between the two.
    rename(&kit, "outbox", "elsewhere").await;
    gate.open();
    unlucky.await.unwrap().unwrap_err();
    rename(&kit, "elsewhere", "outbox").await;
    told_again_after_the_lease(&kit).await;
}

#[tokio::test]
async fn a_relay_killed_while_it_asks_leaves_the_event_to_be_told_again() {
    let kit = Kit::start().await;
    let gate = Gate::closed();
    kit.peer.on(EVENTS).then(yes().held_by(&gate)).then(yes());
    kit.push([1]).await;

    let relay = kit.relay();
    let doomed = tokio::task::spawn(async move { relay.deliver_pending().await });
    kit.peer.wait_for_requests(1, PATIENCE).await;
    doomed.abort();
    assert!(doomed.await.unwrap_err().is_cancelled());
    gate.open();
    told_again_after_the_lease(&kit).await;
}

async fn told_again_after_the_lease(kit: &Kit) {
    let successor = kit.relay();
    let early = successor.deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(early), (0, 0), "the lease has not ended");
    kit.end_leases().await;
    let pass = successor.deliver_pending().await.unwrap();
    assert_eq!(told_and_dead(pass), (1, 0));
    assert_eq!(successor.pending_count().await.unwrap(), 0);
    let requests = kit.peer.requests();
    assert_eq!(envelopes(&requests[0]), envelopes(&requests[1]));
    kit.peer.assert_as_scripted();
}

async fn rename(kit: &Kit, from: &str, to: &str) {
    let rename = format!("ALTER TABLE {from} RENAME TO {to}");
    kit.database.execute_unprepared(&rename).await.unwrap();
}
