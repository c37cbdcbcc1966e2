//! The wire does to each request what the seed says, and nothing else.

use std::collections::BTreeMap;

use lyceum_testing::PATIENCE;
use lyceum_testing::http::Client;
use lyceum_testing::peer::{Answer, Gate, ScriptedPeer};
use lyceum_testing::wire::{Fate, Odds, Wire};
use serde_json::json;

const PAY: &str = "POST /payments";

fn peer() -> ScriptedPeer {
    let peer = ScriptedPeer::start();
    peer.on(PAY)
        .always_with(|request| Answer::bytes(201, "application/json", request.body.clone()));
    peer
}

/// One payment; whether it was answered.
async fn pay(client: &Client, number: usize) -> bool {
    let request = client.post("/payments").json(&json!({"number": number}));
    match request.try_send().await {
        Ok(answer) => {
            let body: serde_json::Value = answer.expect(201).json();
            assert_eq!(body["number"], number);
            true
        }
        Err(_) => false,
    }
}

fn fates(wire: &Wire) -> BTreeMap<Vec<u8>, Fate> {
    let requests = wire.requests().into_iter();
    requests
        .map(|(request, fate)| (request.body.to_vec(), fate))
        .collect()
}

#[tokio::test]
async fn the_same_calls_meet_the_same_faults_in_whatever_order() {
    let peer = peer();
    let odds = Odds {
        reset: 20,
        lost: 20,
        ..Odds::default()
    };
    let wires = [1, 1, 2].map(|seed| Wire::to(&peer.url(), odds, seed));
    let clients = wires.each_ref().map(|wire| Client::new(wire.url()));
    for number in 0..100 {
        pay(&clients[0], number).await;
        pay(&clients[1], 99 - number).await;
        pay(&clients[2], number).await;
    }
    let [one, same, other] = wires.each_ref().map(fates);
    assert_eq!(one, same);
    assert_ne!(one, other);
    let count = |fate| one.values().filter(|met| **met == fate).count();
    for fate in [Fate::Reset, Fate::Lost] {
        assert!((8..=35).contains(&count(fate)), "{fate:?}: {}", count(fate));
    }
    assert_eq!(wires[0].fates()[&Fate::Passed], count(Fate::Passed));
}

#[tokio::test]
async fn a_request_is_reset_before_the_service_hears_of_it_or_after() {
    for (odds, heard) in [
        (
            Odds {
                reset: 100,
                ..Odds::default()
            },
            0,
        ),
        (
            Odds {
                lost: 100,
                ..Odds::default()
            },
            1,
        ),
        (Odds::default(), 1),
    ] {
        let peer = peer();
        let wire = Wire::to(&peer.url(), odds, 7);
        let answered = pay(&Client::new(wire.url()), 1).await;
        wire.settled().await;
        assert_eq!(peer.requests().len(), heard);
        let passed = wire.fates().contains_key(&Fate::Passed);
        assert_eq!(answered, passed);
    }
}

#[tokio::test]
async fn a_silent_answer_is_held_until_the_caller_gives_up() {
    let peer = peer();
    let odds = Odds {
        silent: 100,
        ..Odds::default()
    };
    let wire = Wire::to(&peer.url(), odds, 7);
    let client = Client::new(wire.url());
    tokio::select! {
        answered = pay(&client, 1) => panic!("answered: {answered}"),
        _ = peer.wait_for_requests(1, PATIENCE) => {}
    }
    wire.settled().await;
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn a_late_request_reaches_the_service_after_its_caller_has_gone_and_settles_after_that() {
    let peer = ScriptedPeer::start();
    let gate = Gate::closed();
    peer.on(PAY)
        .always(Answer::json(201, &json!({})).held_by(&gate));
    let odds = Odds {
        late: 100,
        ..Odds::default()
    };
    let wire = Wire::to(&peer.url(), odds, 7);
    let client = Client::new(wire.url());
    let held = async {
        lyceum_testing::eventually("on the wire", async || wire.requests().pop()).await;
        assert_eq!(peer.requests().len(), 0);
    };
    tokio::select! {
        answered = pay(&client, 1) => panic!("answered: {answered}"),
        () = held => {}
    }
    peer.wait_for_requests(1, PATIENCE).await;
    tokio::select! {
        biased;
        () = wire.settled() => panic!("the service has not answered yet"),
        () = async { gate.open() } => {}
    }
    wire.settled().await;
}
