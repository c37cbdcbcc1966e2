//! Scripted peers, seen by the plain client.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lyceum_testing::PATIENCE;
use lyceum_testing::http::Client;
use lyceum_testing::peer::{Answer, DownPeer, Gate, ScriptedPeer};
use serde_json::{Value, json};

#[tokio::test]
async fn answers_follow_the_sequence_and_then_stay() {
    let peer = ScriptedPeer::start();
    let busy = Answer::status(503).header("retry-after", "1");
    peer.on("GET /users/{id}")
        .then(busy)
        .then(Answer::text(200, "hello"))
        .always(Answer::json(200, &json!({ "id": 7 })));
    let client = Client::new(peer.url());

    let first = client.get("/users/7").send().await;
    assert_eq!(
        (first.status, first.header("retry-after")),
        (503, Some("1"))
    );
    assert_eq!(client.get("/users/8").send().await.text(), "hello");
    for _ in 0..2 {
        let steady: Value = client.get("/users/9").send().await.expect(200).json();
        assert_eq!(steady, json!({ "id": 7 }));
    }
    assert_eq!(peer.connections(), 1, "the connection is reused");
    peer.assert_as_scripted();
}

#[tokio::test]
async fn requests_are_kept_as_they_were_sent() {
    let peer = ScriptedPeer::start();
    peer.on("POST /echo")
        .always_with(|request| Answer::json(201, &request.json::<Value>()));
    let client = Client::new(peer.url());
    let order = json!({ "seats": 2 });

    let request = client.post("/echo?dry=1").bearer("secret").json(&order);
    let echoed = request.header("x-attempt", 3).send().await.expect(201);
    assert_eq!(echoed.json::<Value>(), order);

    let received = &peer.wait_for_requests(1, PATIENCE).await[0];
    assert_eq!(
        (&*received.method, &*received.path, &*received.query),
        ("POST", "/echo", "dry=1")
    );
    assert_eq!(received.bearer(), Some("secret"));
    assert_eq!(received.header("x-attempt"), Some("3"));
    assert_eq!(received.json::<Value>(), order);
}

#[tokio::test]
async fn a_held_answer_comes_when_its_gate_opens() {
    let peer = ScriptedPeer::start();
    let gate = Gate::closed();
    let whole = Answer::text(200, "at last");
    peer.on("GET /head").always(whole.clone().held_by(&gate));
    peer.on("GET /body").always(whole.body_held_by(&gate));
    let client = Client::new(peer.url());

    let open_late = async {
        peer.wait_for_requests(2, PATIENCE).await;
        gate.open();
    };
    let (head, body, ()) = tokio::join!(
        client.get("/head").send(),
        client.get("/body").send(),
        open_late
    );
    assert_eq!(head.text(), "at last");
    assert_eq!(body.text(), "at last");
}

#[tokio::test]
async fn a_caller_that_hangs_up_is_noticed() {
    let peer = ScriptedPeer::start();
    let never = Gate::closed();
    peer.on("GET /slow")
        .always(Answer::status(200).held_by(&never));
    let client = Client::new(peer.url());
    tokio::select! {
        _ = client.get("/slow").send() => panic!("the gate is closed"),
        _ = peer.wait_for_requests(1, PATIENCE) => {}
    }
    drop(client);
    let abandoned = peer.wait_for_abandoned(1, PATIENCE).await;
    assert_eq!(abandoned[0].path, "/slow");
}

#[tokio::test]
async fn a_peer_can_break_the_connection_in_every_way() {
    let peer = ScriptedPeer::start();
    for (route, answer) in [
        ("GET /reset", Answer::reset()),
        ("GET /close", Answer::close()),
        ("GET /garbage", Answer::garbage("SSH-2.0-OpenSSH\r\n")),
        ("GET /cut", Answer::text(200, "half of this").body_cut()),
    ] {
        peer.on(route).always(answer);
    }
    for (path, failure) in [
        ("/reset", "reset by peer"),
        ("/close", "connection closed"),
        ("/garbage", "invalid HTTP version"),
        ("/cut", "end of file before message length reached"),
    ] {
        let client = Client::new(peer.url());
        let error = client.get(path).try_send().await.unwrap_err();
        assert!(error.contains(failure), "{path}: {error}");
    }
}

#[tokio::test]
async fn a_peer_that_is_down_refuses_until_it_comes_up() {
    let down = DownPeer::hold();
    let client = Client::new(down.url());
    let error = client.get("/").try_send().await.unwrap_err();
    assert!(error.contains("Connection refused"), "{error}");

    let peer = down.come_up();
    peer.on("GET /").always(Answer::status(204));
    assert_eq!(client.get("/").send().await.status, 204);
}

#[tokio::test]
async fn what_differs_from_the_script_is_named() {
    let peer = ScriptedPeer::start();
    peer.on("POST /internal/events").then(Answer::status(202));
    let client = Client::new(peer.url());
    assert_eq!(client.get("/surprise").send().await.status, 501);

    let panic = catch_unwind(AssertUnwindSafe(|| peer.assert_as_scripted())).unwrap_err();
    let message = panic.downcast_ref::<String>().unwrap();
    assert!(message.contains("not scripted: GET /surprise"), "{message}");
    assert!(
        message.contains("never asked for: POST /internal/events"),
        "{message}"
    );
}

#[tokio::test]
async fn raw_bytes_arrive_raw() {
    let peer = ScriptedPeer::start();
    peer.on("PUT /chunks").always_with(|request| {
        Answer::bytes(200, "application/octet-stream", request.body.clone())
    });
    let client = Client::new(peer.url());
    let chunked = "PUT /chunks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    assert_eq!(client.raw(chunked).await.expect(200).text(), "abcde");

    peer.on("GET /silent").always(Answer::close());
    let silent = "GET /silent HTTP/1.1\r\nHost: x\r\n\r\n";
    assert!(client.try_raw(silent, PATIENCE).await.is_none());
}

#[tokio::test]
async fn a_slow_peer_answers_after_its_delay() {
    let peer = ScriptedPeer::start();
    let delay = Duration::from_millis(30);
    peer.on("GET /slow")
        .always(Answer::status(200).after(delay));
    let started = std::time::Instant::now();
    assert_eq!(
        Client::new(peer.url()).get("/slow").send().await.status,
        200
    );
    assert!(started.elapsed() >= delay);
}
