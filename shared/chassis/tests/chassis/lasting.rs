//! Answers that last have the connection to themselves.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{FutureExt, stream};
use lyceum_chassis::server::{Inbound, last};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::bakery::open;

/// Whoever listened is not listened to any more.
static SILENCE: Notify = Notify::const_new();
/// The next word may be said.
static WORD: Notify = Notify::const_new();
/// A bell that nobody should have rung.
static RUNG: Notify = Notify::const_new();

/// More than the kernel takes for a client that reads nothing.
const LOAVES: usize = 2_000;
const LOAF: usize = 10_000;
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/aroma", web::get().to(smell))
        .route("/talk", web::get().to(talk))
        .route("/feast", web::get().to(eat))
        .route("/alarm", web::get().to(ring));
}

struct Listener;

impl Drop for Listener {
    fn drop(&mut self) {
        SILENCE.notify_one();
    }
}

/// Says two words, one at a time.
async fn smell() -> HttpResponse {
    let words = stream::unfold((Listener, 0), |(listener, said)| async move {
        if said > 0 {
            WORD.notified().await;
        }
        let word = ["rye", "wheat"].get(said)?;
        let word = Bytes::from_static(word.as_bytes());
        Some((Ok::<_, Infallible>(word), (listener, said + 1)))
    });
    last(HttpResponse::Ok().streaming(words))
}

/// Repeats what is said, until it is `bye`.
async fn talk(request: HttpRequest, payload: Payload) -> HttpResponse {
    let inbound = Inbound::new(&request, payload);
    let words = stream::unfold(Some((Listener, inbound)), |talking| async move {
        let (listener, mut inbound) = talking?;
        let heard = inbound.next().await?;
        let goes_on = !heard.ends_with(b"bye");
        let talking = goes_on.then_some((listener, inbound));
        Some((Ok::<_, Infallible>(heard), talking))
    });
    let answer = HttpResponse::build(StatusCode::SWITCHING_PROTOCOLS)
        .upgrade("websocket")
        .streaming(words);
    last(answer)
}

async fn eat() -> HttpResponse {
    let loaves = (0..LOAVES).map(|number| {
        let letter = b'a' + u8::try_from(number % 26).unwrap();
        Ok::<_, Infallible>(Bytes::from(vec![letter; LOAF]))
    });
    last(HttpResponse::Ok().streaming(stream::iter(loaves)))
}

async fn ring() -> HttpResponse {
    RUNG.notify_one();
    HttpResponse::NoContent().finish()
}

/// A connection, and what has come on it.
struct Visitor {
    socket: TcpStream,
    heard: String,
}

impl Visitor {
    async fn says(base_url: &str, head: &str) -> Self {
        let address = base_url.trim_start_matches("http://");
        let socket = TcpStream::connect(address).await.unwrap();
        let heard = String::new();
        let mut visitor = Self { socket, heard };
        visitor.says_more(head).await;
        visitor
    }

    async fn says_more(&mut self, text: &str) {
        self.socket.write_all(text.as_bytes()).await.unwrap();
    }

    /// Listens until it has heard `text` at the end.
    async fn hears(&mut self, text: &str) {
        let mut chunk = [0; 1024];
        while !self.heard.ends_with(text) {
            let read = timeout(PATIENCE, self.socket.read(&mut chunk)).await;
            let read = read.unwrap().unwrap();
            assert!(read > 0, "ended: {}", self.heard);
            self.heard += std::str::from_utf8(&chunk[..read]).unwrap();
        }
    }

    /// Listens to the end of the connection; what comes after the head.
    async fn hears_all(mut self) -> (String, String) {
        let mut rest = String::new();
        let read = timeout(PATIENCE, self.socket.read_to_string(&mut rest));
        read.await.unwrap().unwrap();
        let all = self.heard + &rest;
        let (head, body) = all.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

#[tokio::test]
async fn what_is_said_arrives_at_once_and_the_end_is_the_end_of_the_connection() {
    let bakery = open();
    let head = "GET /aroma HTTP/1.1\r\nhost: b\r\n\r\n";
    let mut visitor = Visitor::says(bakery.base_url(), head).await;
    visitor.hears("\r\n\r\n3\r\nrye\r\n").await;
    WORD.notify_one();
    visitor.hears("rye\r\n5\r\nwheat\r\n").await;
    WORD.notify_one();
    let (head, body) = visitor.hears_all().await;
    assert!(head.contains("\r\nconnection: close"), "{head}");
    assert!(head.contains("\r\ntransfer-encoding: chunked"), "{head}");
    assert_eq!(body, "3\r\nrye\r\n5\r\nwheat\r\n0\r\n\r\n");
    SILENCE.notified().await;
}

#[tokio::test]
async fn a_client_of_before_chunks_hears_bytes_alone() {
    let bakery = open();
    let mut visitor = Visitor::says(bakery.base_url(), "GET /aroma HTTP/1.0\r\n\r\n").await;
    visitor.hears("\r\n\r\nrye").await;
    WORD.notify_one();
    visitor.hears("ryewheat").await;
    WORD.notify_one();
    let (head, _) = visitor.hears_all().await;
    assert!(!head.contains("transfer-encoding"), "{head}");
}

#[tokio::test]
async fn whoever_goes_is_not_spoken_to_any_more() {
    let bakery = open();
    for path in ["/aroma", "/talk"] {
        let head = format!("GET {path} HTTP/1.1\r\nhost: b\r\n");
        let (head, word) = match path {
            "/talk" => (
                head + "connection: upgrade\r\nupgrade: websocket\r\n\r\nrye",
                "rye",
            ),
            _ => (head + "\r\n", "rye\r\n"),
        };
        let mut visitor = Visitor::says(bakery.base_url(), &head).await;
        visitor.hears(word).await;
        drop(visitor);
        timeout(PATIENCE, SILENCE.notified()).await.unwrap();
    }
}

#[tokio::test]
async fn on_an_upgraded_connection_everything_is_heard_from_the_first_byte_on() {
    let bakery = open();
    let head =
        "GET /talk HTTP/1.1\r\nhost: b\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nearly";
    let mut visitor = Visitor::says(bakery.base_url(), head).await;
    visitor.hears("\r\n\r\nearly").await;
    visitor.says_more("late").await;
    visitor.hears("earlylate").await;
    visitor.says_more("good bye").await;
    let (head, body) = visitor.hears_all().await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert_eq!(body, "earlylategood bye");
}

#[tokio::test]
async fn a_client_that_listens_late_misses_nothing() {
    let bakery = open();
    let head = "GET /feast HTTP/1.0\r\n\r\n";
    let visitor = Visitor::says(bakery.base_url(), head).await;
    // By then the server has written as much as the kernel takes.
    bakery.client().get("/health").send().await.expect(200);
    let (_, body) = visitor.hears_all().await;
    assert_eq!(body.len(), LOAVES * LOAF);
    let loaves = body.as_bytes().chunks(LOAF).zip((b'a'..=b'z').cycle());
    assert!(
        loaves
            .flat_map(|(loaf, letter)| loaf.iter().map(move |it| (it, letter)))
            .all(|(it, letter)| *it == letter)
    );
}

#[tokio::test]
async fn a_request_behind_an_answer_that_lasts_is_not_served() {
    let bakery = open();
    let request = |path| format!("GET {path} HTTP/1.1\r\nhost: b\r\n\r\n");
    let both = request("/feast") + &request("/alarm");
    let visitor = Visitor::says(bakery.base_url(), &both).await;
    let (_, body) = visitor.hears_all().await;
    assert!(body.ends_with("\r\n0\r\n\r\n"), "{}", body.len());
    assert!(RUNG.notified().now_or_never().is_none());
}
