//! Doors over real sockets: whom they lead to, how a connection ends, and how a door does.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its world is not as expected"
)]

#[cfg(target_os = "linux")]
mod keepalive;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use lyceum_front::doors::Door;
use lyceum_testing::PATIENCE;
use lyceum_testing::peer::DownPeer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A door that serves in the background.
struct Open {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinSet<()>,
}

impl Open {
    fn before(upstreams: Vec<String>) -> Self {
        Self::with_grace(upstreams, PATIENCE)
    }

    fn with_grace(upstreams: Vec<String>, grace: Duration) -> Self {
        Self::serving(Door::open(ANY, upstreams).unwrap(), grace)
    }

    fn serving(door: Door, grace: Duration) -> Self {
        let (address, stop) = (door.address().unwrap(), CancellationToken::new());
        let mut serving = JoinSet::new();
        serving.spawn(door.serve(stop.clone(), grace));
        Self {
            address,
            stop,
            serving,
        }
    }

    async fn ended(&mut self) {
        let ended = timeout(PATIENCE, self.serving.join_next()).await;
        ended.unwrap().unwrap().unwrap();
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn is_closed(&self) {
        let closed = async {
            let mut tick = tokio::time::interval(Duration::from_millis(5));
            let refused = |error: std::io::Error| error.kind() == ErrorKind::ConnectionRefused;
            while !TcpStream::connect(self.address).await.is_err_and(refused) {
                tick.tick().await;
            }
        };
        timeout(PATIENCE, closed).await.unwrap();
    }
}

async fn upstream() -> (TcpListener, String) {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

async fn taken(upstream: &TcpListener) -> TcpStream {
    timeout(PATIENCE, upstream.accept())
        .await
        .unwrap()
        .unwrap()
        .0
}

/// Says `what` on one side and hears it on the other.
async fn carries(from: &mut TcpStream, to: &mut TcpStream, what: &str) {
    from.write_all(what.as_bytes()).await.unwrap();
    let mut heard = vec![0; what.len()];
    timeout(PATIENCE, to.read_exact(&mut heard))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(heard, what.as_bytes());
}

/// Everything that still comes.
async fn rest(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut rest = String::new();
    let read = timeout(PATIENCE, stream.read_to_string(&mut rest)).await;
    read.unwrap().map(|_| rest)
}

#[tokio::test]
async fn connections_go_to_the_replicas_in_turn() {
    let [(one, a), (other, b)] = [upstream().await, upstream().await];
    let door = Open::before(vec![a, b]);
    for _ in 0..2 {
        // Addresses have an order of their own; one round takes both whichever comes first.
        let mut clients = [door.connect().await, door.connect().await];
        let mut servers = [taken(&one).await, taken(&other).await];
        for (client, letter) in clients.iter_mut().zip(["x", "y"]) {
            client.write_all(letter.as_bytes()).await.unwrap();
        }
        let mut heard = Vec::new();
        for server in &mut servers {
            heard.push(timeout(PATIENCE, server.read_u8()).await.unwrap().unwrap());
        }
        heard.sort_unstable();
        assert_eq!(heard, b"xy");
    }
}

#[tokio::test]
async fn a_replica_that_refuses_is_passed_over() {
    let (down, (up, address)) = (DownPeer::hold(), upstream().await);
    let refusing = down.url().replace("http://", "");
    let door = Open::before(vec![refusing, address]);
    for _ in 0..4 {
        let mut client = door.connect().await;
        carries(&mut client, &mut taken(&up).await, "anybody there?").await;
    }
}

#[tokio::test]
async fn a_connection_that_nobody_takes_is_reset_and_the_next_one_is_not() {
    let down = DownPeer::hold();
    let door = Open::before(vec![down.url().replace("http://", "")]);
    let refused = rest(&mut door.connect().await).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionReset);
    let up = down.come_up();
    let client = lyceum_testing::http::Client::new(format!("http://{}", door.address));
    up.on("GET /")
        .always(lyceum_testing::peer::Answer::status(204));
    client.get("/").send().await.expect(204);
}

#[tokio::test]
async fn an_unknown_name_is_a_reset_too() {
    let door = Open::before(vec!["course.invalid:8002".to_owned()]);
    let refused = rest(&mut door.connect().await).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn either_side_may_say_its_last_word_first() {
    let (up, address) = upstream().await;
    let door = Open::before(vec![address]);
    for client_first in [true, false] {
        let (mut client, mut server) = (door.connect().await, taken(&up).await);
        let (first, second) = if client_first {
            (&mut client, &mut server)
        } else {
            (&mut server, &mut client)
        };
        first.write_all(b"a question").await.unwrap();
        first.shutdown().await.unwrap();
        assert_eq!(rest(second).await.unwrap(), "a question");
        second.write_all(b"an answer").await.unwrap();
        second.shutdown().await.unwrap();
        assert_eq!(rest(first).await.unwrap(), "an answer");
    }
}

#[tokio::test]
async fn a_reset_is_passed_on_as_one() {
    let (up, address) = upstream().await;
    let door = Open::before(vec![address]);
    let (mut client, mut server) = (door.connect().await, taken(&up).await);
    carries(&mut client, &mut server, "half a request").await;
    server.set_zero_linger().unwrap();
    drop(server);
    let broken = rest(&mut client).await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_stopped_door_refuses_new_connections_and_keeps_the_open_ones() {
    let (up, address) = upstream().await;
    let mut door = Open::before(vec![address]);
    let (mut client, mut server) = (door.connect().await, taken(&up).await);
    carries(&mut client, &mut server, "before").await;
    door.stop.cancel();
    door.is_closed().await;
    carries(&mut client, &mut server, "after").await;
    carries(&mut server, &mut client, "an answer").await;
    drop(client);
    assert_eq!(rest(&mut server).await.unwrap(), "");
    // With what knocked before the door was closed, and was never taken.
    drop((server, up));
    door.ended().await;
}

#[tokio::test]
async fn what_waits_in_the_queue_when_the_door_stops_is_still_served() {
    let (up, address) = upstream().await;
    let door = Door::open(ANY, vec![address]).unwrap();
    let mut client = TcpStream::connect(door.address().unwrap()).await.unwrap();
    let stop = CancellationToken::new();
    stop.cancel();
    let mut serving = JoinSet::new();
    serving.spawn(door.serve(stop, PATIENCE));
    carries(&mut client, &mut taken(&up).await, "I was here first").await;
    drop(client);
    timeout(PATIENCE, serving.join_next()).await.unwrap();
}

#[tokio::test]
async fn the_grace_period_ends_what_does_not_end_by_itself() {
    let (up, address) = upstream().await;
    let mut door = Open::with_grace(vec![address], Duration::from_millis(1));
    let (mut client, mut server) = (door.connect().await, taken(&up).await);
    carries(&mut client, &mut server, "a stream without an end").await;
    door.stop.cancel();
    door.ended().await;
    // A proper end would make half an answer look like a whole one.
    for side in [&mut client, &mut server] {
        let cut = rest(side).await.unwrap_err();
        assert_eq!(cut.kind(), ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn who_waits_for_a_slot_when_the_door_stops_is_served_once_one_is_free() {
    let (up, address) = upstream().await;
    let door = Door::with_slots(1, ANY, vec![address]).unwrap();
    let mut door = Open::serving(door, PATIENCE);
    let (mut first, mut server) = (door.connect().await, taken(&up).await);
    carries(&mut first, &mut server, "I have the slot").await;
    let [mut second, mut third] = [door.connect().await, door.connect().await];
    door.stop.cancel();
    door.is_closed().await;
    carries(&mut server, &mut first, "still open").await;
    drop((first, server));
    for waiting in [&mut second, &mut third] {
        let mut server = taken(&up).await;
        carries(waiting, &mut server, "my turn").await;
        server.shutdown().await.unwrap();
        waiting.shutdown().await.unwrap();
        assert_eq!(rest(waiting).await.unwrap(), "");
    }
    // With what knocked before the door was closed, and was never taken.
    drop(up);
    door.ended().await;
}

#[tokio::test]
async fn who_waits_for_a_slot_until_the_grace_period_is_over_is_reset() {
    let (up, address) = upstream().await;
    let door = Door::with_slots(1, ANY, vec![address]).unwrap();
    let mut door = Open::serving(door, Duration::from_millis(1));
    let (mut first, mut server) = (door.connect().await, taken(&up).await);
    carries(&mut first, &mut server, "I have the slot").await;
    let mut second = door.connect().await;
    door.stop.cancel();
    door.ended().await;
    let cut = rest(&mut second).await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::ConnectionReset);
}
