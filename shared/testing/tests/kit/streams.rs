//! Event streams over a real connection.

use lyceum_testing::PATIENCE;
use lyceum_testing::http::Client;
use lyceum_testing::peer::{Answer, Gate, ScriptedPeer};

#[tokio::test]
async fn a_stream_is_read_while_it_is_open() {
    let peer = ScriptedPeer::start();
    let gate = Gate::closed();
    // Half of the body, up to the heartbeat, is there before the gate opens.
    let stream = "id: 1\ndata: first\n\n: beat\n\nid: 2\ndata: second!!\n\n";
    peer.on("GET /sse/notifications")
        .always(Answer::bytes(200, "text/event-stream", stream).body_held_by(&gate));
    let client = Client::new(peer.url());

    let mut events = client.sse("/sse/notifications", "token", Some("0")).await;
    let first = events.next(PATIENCE).await.unwrap();
    assert_eq!(
        (first.id.as_deref(), first.data.as_deref()),
        (Some("1"), Some("first"))
    );
    gate.open();
    let second = events.next_event(PATIENCE).await;
    assert_eq!(
        second.data.as_deref(),
        Some("second!!"),
        "the heartbeat is passed over"
    );
    assert_eq!(events.next(PATIENCE).await, None, "the stream has ended");

    let request = &peer.requests()[0];
    assert_eq!(request.header("last-event-id"), Some("0"));
    assert_eq!(request.bearer(), Some("token"));
}
