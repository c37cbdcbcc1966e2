//! A POST that says neither that it only reads nor that the peer knows it by a key.

use std::net::TcpListener;

use lyceum_client::faults::FaultOrder;
use lyceum_client::{ClientError, Upstream, UpstreamSettings};
use serde_json::{Value, json};

use crate::identity;
use crate::peer::{Act, Peer};

fn upstream(base_url: String) -> Upstream {
    let settings = UpstreamSettings {
        base_url,
        attempts: 3,
        ..UpstreamSettings::default()
    };
    Upstream::new("course", &settings, &identity("user")).unwrap()
}

async fn post(upstream: &Upstream) -> Result<Value, ClientError> {
    upstream
        .post("course.test", "/test", &json!({}))
        .json()
        .await
}

#[tokio::test]
async fn a_post_that_may_have_had_its_effect_is_never_sent_twice() {
    let busy = Act::status(503).with("retry-after", "0");
    for failure in [
        Act::Close,
        Act::status(500),
        busy,
        Act::Bytes(b"HTTP/1.1 2".to_vec()),
    ] {
        let peer = Peer::new([failure]);
        post(&upstream(peer.base_url())).await.unwrap_err();
        assert_eq!(peer.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_post_whose_connection_breaks_on_purpose_is_not_sent_again() {
    let peer = Peer::new([Act::json(200, &json!({}))]);
    let upstream = upstream(peer.base_url());
    let reset = FaultOrder {
        ratio: 1.0,
        latency_ms: 0,
        status: None,
        reset: true,
        times: None,
        for_ms: None,
        seed: None,
    };
    upstream.inject(reset.check().unwrap().unwrap());
    let error = post(&upstream).await.unwrap_err();
    assert_eq!(error, ClientError::Unreachable { sent: true });
    assert_eq!(upstream.fault().injected, 1);
}

#[tokio::test]
async fn a_post_that_was_never_sent_is_sent_again() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let upstream = upstream(format!("http://{closed}"));
    let error = post(&upstream).await.unwrap_err();
    assert_eq!(error, ClientError::Unreachable { sent: false });
    assert_eq!(upstream.breakers()[0].breaker.window_failures, 3);
}
