//! What a scripted peer does with one request, from a plain answer to plain nonsense.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::socket::Connection;

/// Something the test opens when it has seen enough; clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate(CancellationToken);

impl Gate {
    /// A gate that holds everything until [`Gate::open`].
    pub fn closed() -> Self {
        Self::default()
    }

    /// Lets everything through, now and later.
    pub fn open(&self) {
        self.0.cancel();
    }
}

/// One scripted behaviour.
#[derive(Debug, Clone)]
pub struct Answer {
    delay: Duration,
    gate: Option<Gate>,
    act: Act,
}

#[derive(Debug, Clone)]
enum Act {
    Respond(Response),
    Garbage(Bytes),
    Close,
    Reset,
}

#[derive(Debug, Clone)]
struct Response {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    second_half: SecondHalf,
}

/// What becomes of a body after its first half.
#[derive(Debug, Clone)]
enum SecondHalf {
    Follows,
    Waits(Gate),
    NeverComes,
}

/// How the delivery of an answer ended.
pub(super) enum Delivered {
    /// Sent; the connection can take another request.
    Whole(Connection),
    /// The peer ended the connection, as scripted.
    Closed,
    /// The caller went away while the answer was held.
    Abandoned,
}

impl Answer {
    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self::bytes(status, "", Bytes::new())
    }

    /// A status and a JSON body.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("a scripted body becomes JSON");
        Self::bytes(status, "application/json", body)
    }

    /// A status and a body that is not JSON.
    pub fn text(status: u16, body: &str) -> Self {
        Self::bytes(status, "text/plain", body.to_owned())
    }

    /// A status and a body of any kind; no `Content-Type` when `content_type` is empty.
    pub fn bytes(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let response = Response {
            status: StatusCode::from_u16(status).expect("a status has three digits"),
            headers: HeaderMap::new(),
            body: body.into(),
            second_half: SecondHalf::Follows,
        };
        let answer = Self::act(Act::Respond(response));
        if content_type.is_empty() {
            answer
        } else {
            answer.header("content-type", content_type)
        }
    }

    /// Bytes that need not be HTTP, then a closed connection.
    pub fn garbage(bytes: impl Into<Bytes>) -> Self {
        Self::act(Act::Garbage(bytes.into()))
    }

    /// A connection closed in good order (FIN) instead of an answer.
    pub fn close() -> Self {
        Self::act(Act::Close)
    }

    /// A connection torn down (RST) instead of an answer.
    pub fn reset() -> Self {
        Self::act(Act::Reset)
    }

    /// Adds a header to a response.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header name");
        let value: HeaderValue = value.parse().expect("a header value");
        self.response(|response| {
            response.headers.append(name, value);
        })
    }

    /// Begins only when `gate` opens.
    #[must_use]
    pub fn held_by(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Begins only after `delay`: a peer that is slow but sure.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends the head and half the body, the rest when `gate` opens.
    #[must_use]
    pub fn body_held_by(self, gate: &Gate) -> Self {
        let half = SecondHalf::Waits(gate.clone());
        self.response(|response| response.second_half = half)
    }

    /// Sends the head and half the body, then closes the connection.
    #[must_use]
    pub fn body_cut(self) -> Self {
        self.response(|response| response.second_half = SecondHalf::NeverComes)
    }

    fn act(act: Act) -> Self {
        Self {
            delay: Duration::ZERO,
            gate: None,
            act,
        }
    }

    fn response(mut self, change: impl FnOnce(&mut Response)) -> Self {
        let Act::Respond(response) = &mut self.act else {
            panic!("only a response has headers and a body");
        };
        change(response);
        self
    }

    /// Plays the answer on `connection`.
    pub(super) async fn deliver(self, mut connection: Connection) -> io::Result<Delivered> {
        if !self.delay.is_zero() && !kept(&mut connection, tokio::time::sleep(self.delay)).await {
            return Ok(Delivered::Abandoned);
        }
        if let Some(gate) = &self.gate
            && !kept(&mut connection, gate.0.cancelled()).await
        {
            return Ok(Delivered::Abandoned);
        }
        match self.act {
            Act::Respond(response) => response.send(connection).await,
            Act::Garbage(bytes) => {
                connection.write(&bytes).await?;
                Ok(Delivered::Closed)
            }
            Act::Close => Ok(Delivered::Closed),
            Act::Reset => connection.reset().map(|()| Delivered::Closed),
        }
    }
}

impl Response {
    async fn send(self, mut connection: Connection) -> io::Result<Delivered> {
        let (first, second) = self.body.split_at(self.body.len() / 2);
        let mut bytes = self.head().into_bytes();
        bytes.extend_from_slice(first);
        match &self.second_half {
            SecondHalf::Follows => bytes.extend_from_slice(second),
            SecondHalf::Waits(gate) => {
                connection.write(&bytes).await?;
                if !kept(&mut connection, gate.0.cancelled()).await {
                    return Ok(Delivered::Abandoned);
                }
                bytes = second.to_vec();
            }
            SecondHalf::NeverComes => {
                connection.write(&bytes).await?;
                return Ok(Delivered::Closed);
            }
        }
        connection.write(&bytes).await?;
        Ok(Delivered::Whole(connection))
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {}\r\n", self.status);
        for (name, value) in &self.headers {
            let value = value.to_str().expect("scripted headers are text");
            head.extend([name.as_str(), ": ", value, "\r\n"]);
        }
        if self.status != StatusCode::NO_CONTENT {
            let length = self.body.len().to_string();
            head.extend(["content-length: ", &length, "\r\n"]);
        }
        head + "\r\n"
    }
}

/// Waits for `event`; `false` when the caller hangs up first.
async fn kept(connection: &mut Connection, event: impl Future<Output = ()>) -> bool {
    tokio::select! {
        () = event => true,
        () = connection.abandoned() => false,
    }
}
