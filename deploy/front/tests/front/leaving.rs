//! The end of the real binary: what is open goes on, what is new is refused.

use std::io::ErrorKind;
use std::time::Duration;

use lyceum_testing::PATIENCE;
use lyceum_testing::http::Client;
use lyceum_testing::peer::{Answer, Gate, ScriptedPeer};
use lyceum_testing::process::Process;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::front::{door, host_and_port, launch, page};

async fn until_refused(address: &str) {
    let refused = async {
        let mut tick = tokio::time::interval(Duration::from_millis(5));
        let refused = |error: std::io::Error| error.kind() == ErrorKind::ConnectionRefused;
        while !TcpStream::connect(address).await.is_err_and(refused) {
            tick.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.unwrap();
}

fn with_door_to(service: &ScriptedPeer) -> Process {
    let door = format!("127.0.0.1:0={}", host_and_port(service));
    launch().variable("FRONT_DOORS", door).start()
}

#[tokio::test]
async fn a_request_that_is_under_way_when_the_end_comes_is_answered() {
    let (service, gate) = (ScriptedPeer::start(), Gate::closed());
    service
        .on("GET /slow")
        .then(Answer::text(200, "at last").held_by(&gate));
    let mut front = with_door_to(&service);
    let address = door(&front).await;
    let client = Client::new(format!("http://{address}"));
    let asked = client.get("/slow").header("connection", "close");
    let told = async {
        service.wait_for_requests(1, PATIENCE).await;
        front.terminate();
        until_refused(&address).await;
        gate.open();
    };
    let (answer, ()) = tokio::join!(asked.send(), told);
    assert_eq!(answer.expect(200).text(), "at last");
    drop((client, service));
    let status = front.wait(PATIENCE).await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let (service, gate) = (ScriptedPeer::start(), Gate::closed());
    service
        .on("GET /slow")
        .then(Answer::status(200).held_by(&gate));
    let mut front = with_door_to(&service);
    let address = door(&front).await;
    let mut client = TcpStream::connect(&address).await.unwrap();
    let request = b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n";
    client.write_all(request).await.unwrap();
    service.wait_for_requests(1, PATIENCE).await;
    front.terminate();
    until_refused(&address).await;
    front.terminate();
    assert!(front.wait(PATIENCE).await.success());
    // Not an end that looks proper.
    let cut = client.read_u8().await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn nothing_to_wait_for_is_an_end_at_once() {
    let mut front = launch().start();
    // A browser keeps its connection.
    let page = page(&front).await;
    page.get("/health").send().await.expect(200);
    front.interrupt();
    assert!(front.wait(PATIENCE).await.success());
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = ScriptedPeer::start();
    let address = host_and_port(&taken);
    let mut front = launch()
        .variable("FRONT_DOORS", format!("{address}=user:8001"))
        .start();
    assert_eq!(front.wait(PATIENCE).await.code(), Some(1));
    let reason = front.error_lines().join("\n");
    let expected = format!("lyceum-front: cannot listen on {address} (door to user:8001): ");
    assert!(reason.starts_with(&expected), "{reason}");
}
