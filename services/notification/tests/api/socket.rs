//! A client of the WebSocket, one that behaves and one that says whatever bytes it is given.

use futures_util::{SinkExt, StreamExt};
use lyceum_contracts::notification::Notification;
use lyceum_testing::PATIENCE;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::platform::Person;

/// The live stream on a WebSocket.
pub(crate) const SOCKET: &str = "/ws/notifications";

/// An open WebSocket that answers pings while it is read; dropping it hangs up.
pub(crate) struct Socket(WebSocketStream<TcpStream>);

/// How a socket was closed: code and reason.
pub(crate) type Closed = (u16, String);

impl Person {
    /// Opens a WebSocket with the access token; nothing is said yet.
    pub(crate) async fn dials(&self) -> Socket {
        let token = format!("Bearer {}", self.token);
        let dialled = self.dials_with(SOCKET, &[("authorization", &token)]).await;
        dialled.expect("the socket is opened")
    }

    /// The status of the refusal, if it is one.
    pub(crate) async fn dials_with(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Socket, u16> {
        let base = self.client.base_url();
        let mut request = base.replacen("http", "ws", 1) + path;
        let authority = base.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(authority).await.unwrap();
        request = request.replace(' ', "%20");
        let mut request = request.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match timeout(PATIENCE, client_async(request, stream))
            .await
            .unwrap()
        {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("no handshake: {error}"),
        }
    }

    /// Opens a WebSocket, says hello, and returns it with the `welcome`.
    pub(crate) async fn tunes_in(&self, last_seq: Option<i64>) -> (Socket, Value) {
        let mut socket = self.dials().await;
        let welcome = socket.greets(last_seq).await;
        (socket, welcome)
    }
}

impl Socket {
    /// Says hello and returns the `welcome`.
    pub(crate) async fn greets(&mut self, last_seq: Option<i64>) -> Value {
        self.says(&json!({"type": "hello", "last_seq": last_seq}))
            .await;
        let welcome = self.hears().await;
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        welcome
    }

    pub(crate) async fn says(&mut self, message: &Value) {
        self.sends(Message::text(message.to_string())).await;
    }

    pub(crate) async fn sends(&mut self, message: Message) {
        // A socket that the server closes meanwhile says so when it is read.
        self.0.send(message).await.ok();
    }

    /// The next message; pings are answered, and nobody hears of them.
    pub(crate) async fn hears(&mut self) -> Value {
        match self.next().await {
            Ok(message) => message,
            Err(closed) => panic!("the socket was closed: {closed:?}"),
        }
    }

    /// The next notification.
    pub(crate) async fn hears_notification(&mut self) -> Notification {
        let mut told = self.hears().await;
        let kind = told.as_object_mut().and_then(|it| it.remove("type"));
        assert_eq!(kind, Some(json!("notification")), "{told}");
        serde_json::from_value(told).unwrap()
    }

    /// The places of the next `count` notifications.
    pub(crate) async fn hears_places(&mut self, count: usize) -> Vec<i64> {
        let mut places = Vec::new();
        for _ in 0..count {
            places.push(self.hears_notification().await.seq);
        }
        places
    }

    /// How it is closed, after whatever else is said.
    pub(crate) async fn closed(&mut self) -> Closed {
        loop {
            if let Err(closed) = self.next().await {
                return closed;
            }
        }
    }

    /// The next message, or how the server has closed the socket; 1006 without a word.
    pub(crate) async fn next(&mut self) -> Result<Value, Closed> {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await;
            match message.expect("something is said in time") {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(Message::Pong(data))) => {
                    return Ok(json!({"pong": String::from_utf8_lossy(&data)}));
                }
                Some(Ok(other)) => panic!("{other:?}"),
                None | Some(Err(_)) => return Err((1006, String::new())),
            }
        }
    }
}

/// A WebSocket that answers nothing by itself.
pub(crate) struct RawSocket(TcpStream);

/// One frame of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(Value),
    Ping(Vec<u8>),
    Pong,
    Closed(Closed),
    ClosedWithoutCode,
    /// The end, or a frame nobody expects.
    Gone,
}

impl RawSocket {
    /// Opens a socket by hand.
    pub(crate) async fn open(person: &Person) -> Self {
        let authority = person.client.base_url().strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(authority).await.unwrap();
        let request = format!(
            "GET {SOCKET} HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer {}\r\n\
             connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            person.token
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        // RFC 6455 §1.3 computes it for this key.
        assert!(
            head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
            "{head}"
        );
        Self(stream)
    }

    /// As it stands.
    pub(crate) async fn sends(&mut self, bytes: &[u8]) {
        // Whoever has closed the socket does not read the rest.
        self.0.write_all(bytes).await.ok();
    }

    /// A whole frame as clients send it: masked, here with zeros.
    pub(crate) async fn sends_frame(&mut self, first_byte: u8, data: &[u8]) {
        self.sends(&frame(first_byte, data)).await;
    }

    pub(crate) async fn hears(&mut self) -> Heard {
        let heard = timeout(PATIENCE, self.read()).await;
        heard
            .expect("something is said in time")
            .unwrap_or(Heard::Gone)
    }

    async fn read(&mut self) -> Option<Heard> {
        let stream = &mut self.0;
        let kind = stream.read_u8().await.ok()?;
        let length = match stream.read_u8().await.ok()? {
            126 => u64::from(stream.read_u16().await.ok()?),
            127 => stream.read_u64().await.ok()?,
            short => short.into(),
        };
        let mut data = vec![0; usize::try_from(length).ok()?];
        stream.read_exact(&mut data).await.ok()?;
        match kind {
            0x81 => Some(Heard::Text(serde_json::from_slice(&data).ok()?)),
            0x89 => Some(Heard::Ping(data)),
            0x8a => Some(Heard::Pong),
            0x88 if data.is_empty() => Some(Heard::ClosedWithoutCode),
            0x88 => {
                let (code, reason) = data.split_first_chunk()?;
                let reason = String::from_utf8_lossy(reason).into_owned();
                Some(Heard::Closed((u16::from_be_bytes(*code), reason)))
            }
            _ => None,
        }
    }
}

/// A frame as clients send it: masked, here with zeros.
pub(crate) fn frame(first_byte: u8, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    match data.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        long => {
            bytes.push(0xfe);
            bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(data);
    bytes
}
