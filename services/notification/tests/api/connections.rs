//! What an admin sees of open streams: how many, who is behind, and why some were ended.

use lyceum_contracts::live::{Connections, LiveStream, Transport};
use lyceum_testing::eventually;
use lyceum_testing::http::Response;

use crate::platform::{Platform, next_notification};
use crate::socket::{Heard, RawSocket};

const HELLO: &[u8] = br#"{"type":"hello","last_seq":0}"#;

impl Platform {
    async fn asks_for_connections(&self, query: &str) -> Response {
        let get = self.app.client().get(&format!("/connections{query}"));
        get.bearer(self.tokens.admin(99)).send().await
    }

    async fn connections(&self, query: &str) -> Connections {
        self.asks_for_connections(query).await.expect(200).json()
    }
}

fn stream_of(connections: &Connections, user: i64) -> &LiveStream {
    let streams = &connections.streams;
    streams.iter().find(|it| it.user_id.get() == user).unwrap()
}

#[tokio::test]
async fn open_streams_are_counted_and_closed_ones_are_not() {
    let platform = Platform::with(|live| (live.streams_per_user, live.streams_per_node) = (3, 9));
    let (ada, bob) = (platform.person(1), platform.person(2));
    let nobody = platform.connections("").await;
    assert_eq!(
        (nobody.people, nobody.open.sse, nobody.open.websocket),
        (0, 0, 0)
    );
    assert_eq!((nobody.limits.per_user, nobody.limits.per_node), (3, 9));
    assert_eq!((nobody.streams.len(), nobody.cuts.len()), (0, 0));

    let (mut first, _) = ada.listens(None).await;
    let (second, _) = ada.listens(None).await;
    let (mut socket, _) = bob.tunes_in(None).await;
    platform.enrols(&bob, "Logic").await;
    platform.enrols_in_many(&ada, 2).await;
    assert_eq!(socket.hears_places(1).await, [1]);
    for seq in 1..=2 {
        assert_eq!(next_notification(&mut first).await.seq, seq);
    }
    let seen = platform.connections("").await;
    assert_eq!((seen.people, seen.open.sse, seen.open.websocket), (2, 2, 1));
    let bobs = stream_of(&seen, 2);
    assert_eq!(
        (bobs.transport, bobs.sent, bobs.waiting),
        (Transport::Websocket, 1, 0)
    );
    assert!(bobs.opened_at <= lyceum_chassis::clock::now());

    drop((first, second));
    let left = eventually("closed", async || {
        let seen = platform.connections("").await;
        (seen.open.sse == 0).then_some(seen)
    });
    let left = left.await;
    assert_eq!((left.people, left.open.websocket), (1, 1));
    assert_eq!(left.cuts, [], "their clients ended them");
}

#[tokio::test]
async fn who_takes_nothing_is_seen_to_be_behind() {
    let platform = Platform::with(|live| live.pong_timeout_ms = 3_600_000);
    let (ada, bob) = (platform.person(1), platform.person(2));
    let mut idle = RawSocket::open(&ada).await;
    idle.sends_frame(0x81, HELLO).await;
    assert!(matches!(idle.hears().await, Heard::Text(_)));
    let (_quick, _) = bob.tunes_in(None).await;
    platform.enrols_in_many(&ada, 300).await;
    let seen = eventually("behind", async || {
        let seen = platform.connections("?limit=1").await;
        let behind = stream_of(&seen, 1);
        (behind.sent > 0 && behind.sent + behind.waiting == 300).then_some(seen)
    });
    let seen = seen.await;
    let behind = stream_of(&seen, 1);
    assert!(behind.sent <= 128, "{behind:?}");
    assert_eq!(seen.streams.len(), 1, "no more than were asked for");
    assert_eq!(seen.open.websocket, 2, "all are counted");
    assert_eq!(seen.waiting.deepest, behind.waiting);
    assert_eq!(seen.waiting.total, behind.waiting);
}

#[tokio::test]
async fn why_streams_were_ended_is_counted_by_transport() {
    let platform = Platform::start();
    let ada = platform.person(1);
    for _ in 0..2 {
        platform.listens_briefly(&ada).await.expect(200);
    }
    let mut socket = RawSocket::open(&ada).await;
    socket.sends_frame(0x81, br#"{"type":"ack","seq":0}"#).await;
    assert_eq!(
        socket.hears().await,
        Heard::Closed((4500, "not_hello".to_owned()))
    );
    let cuts = platform.connections("").await.cuts;
    let cuts: Vec<_> = cuts
        .iter()
        .map(|cut| (cut.transport, cut.reason.as_str(), cut.count))
        .collect();
    assert_eq!(
        cuts,
        [
            (Transport::Sse, "token_expired", 2),
            (Transport::Websocket, "not_hello", 1),
        ]
    );
}

#[tokio::test]
async fn a_number_of_streams_that_cannot_be_is_named() {
    let platform = Platform::start();
    for query in [
        "?limit=0",
        "?limit=1001",
        "?limit=-1",
        "?limit=x",
        "?skip=1",
    ] {
        let problem = platform
            .asks_for_connections(query)
            .await
            .expect(422)
            .problem();
        assert_eq!(problem.errors.len(), 1, "{query}");
    }
}
