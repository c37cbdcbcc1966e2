//! Bytes as they are, for requests no HTTP library would send.

use std::time::Duration;

use http::StatusCode;
use tokio::net::TcpStream;

use super::{Client, Response};
use crate::PATIENCE;
use crate::socket::{Connection, Message};

impl Client {
    /// Writes `bytes` to a fresh connection and reads the first answer.
    ///
    /// # Panics
    /// When the server closes, resets or waits instead of answering.
    pub async fn raw(&self, bytes: impl AsRef<[u8]>) -> Response {
        let answer = self.try_raw(bytes, PATIENCE).await;
        answer.expect("the server answers instead of closing")
    }

    /// Like [`Client::raw`]; `None` when the server ends the connection without an answer.
    ///
    /// # Panics
    /// When neither happens within `deadline`.
    pub async fn try_raw(&self, bytes: impl AsRef<[u8]>, deadline: Duration) -> Option<Response> {
        let exchange = async {
            let address = self.base_url.trim_start_matches("http://");
            let stream = TcpStream::connect(address).await.expect("a server listens");
            let mut connection = Connection::new(stream);
            // A server that has read enough to refuse may close before the last byte is written.
            let _written = connection.write(bytes.as_ref()).await;
            connection.read_response().await.ok().flatten()
        };
        let answer = tokio::time::timeout(deadline, exchange).await;
        let message = answer.expect("the server answers or closes before the deadline")?;
        Some(response_of(message))
    }
}

fn response_of(message: Message) -> Response {
    let mut words = message.start_line.split(' ').skip(1);
    let status = words.next().unwrap_or_default().parse::<StatusCode>();
    let status = status.unwrap_or_else(|_| panic!("no status in {:?}", message.start_line));
    Response::new(status, message.headers, message.body)
}
