//! Server-sent events as the living standard of HTML defines them, one message at a time.

use std::collections::VecDeque;
use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::Client;
use crate::PATIENCE;

/// What a server sent up to one blank line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SseMessage {
    /// The `id`, if this message carried one.
    pub id: Option<String>,
    /// The `event`; `None` means `message`.
    pub event: Option<String>,
    /// All `data` lines joined by line feeds; `None` in a heartbeat.
    pub data: Option<String>,
    /// How long a client shall wait before it reconnects.
    pub retry: Option<Duration>,
    /// Comment lines, which heartbeats are made of.
    pub comments: Vec<String>,
}

/// An open event stream; dropping it hangs up.
#[derive(Debug)]
pub struct SseStream {
    body: Incoming,
    parser: Parser,
}

impl Client {
    /// Opens the event stream at `path`, resuming after `last_event_id` if given.
    ///
    /// # Panics
    /// When the answer is not a stream; ask [`Client::get`] for a refusal.
    pub async fn sse(&self, path: &str, token: &str, last_event_id: Option<&str>) -> SseStream {
        let mut request = self.get(path).bearer(token);
        request = request.header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let opened = tokio::time::timeout(PATIENCE, request.open()).await;
        let answer = opened.expect("a stream begins soon").expect("an answer");
        let kind = answer.headers().get("content-type");
        let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        assert!(
            answer.status() == StatusCode::OK && is_stream,
            "{path} is no event stream but a {} of {kind:?}",
            answer.status()
        );
        SseStream {
            body: answer.into_body(),
            parser: Parser::default(),
        }
    }
}

impl SseStream {
    /// The next message, a heartbeat too; `None` when the server has ended the stream.
    ///
    /// # Panics
    /// When neither comes within `deadline`.
    pub async fn next(&mut self, deadline: Duration) -> Option<SseMessage> {
        let next = tokio::time::timeout(deadline, self.read()).await;
        next.unwrap_or_else(|_| panic!("no message within {deadline:?}"))
    }

    /// The next message that carries data.
    ///
    /// # Panics
    /// When none comes within `deadline`, or the stream ends.
    pub async fn next_event(&mut self, deadline: Duration) -> SseMessage {
        let next = tokio::time::timeout(deadline, async {
            loop {
                let message = self.read().await.expect("the stream goes on");
                if message.data.is_some() {
                    return message;
                }
            }
        });
        next.await
            .unwrap_or_else(|_| panic!("no event within {deadline:?}"))
    }

    async fn read(&mut self) -> Option<SseMessage> {
        loop {
            if let Some(message) = self.parser.complete.pop_front() {
                return Some(message);
            }
            let frame = self.body.frame().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.parser.feed(&data);
            }
        }
    }
}

/// Turns chunks, cut anywhere, into messages.
#[derive(Debug, Default)]
struct Parser {
    partial_line: Vec<u8>,
    after_return: bool,
    message: SseMessage,
    complete: VecDeque<SseMessage>,
}

impl Parser {
    fn feed(&mut self, chunk: &[u8]) {
        for &byte in chunk {
            // A line ends with CR, LF or CR LF.
            let second_half = byte == b'\n' && self.after_return;
            self.after_return = byte == b'\r';
            match byte {
                b'\n' if second_half => {}
                b'\r' | b'\n' => {
                    let line = std::mem::take(&mut self.partial_line);
                    self.line(&String::from_utf8_lossy(&line));
                }
                _ => self.partial_line.push(byte),
            }
        }
    }

    fn line(&mut self, line: &str) {
        if line.is_empty() {
            let message = std::mem::take(&mut self.message);
            if message != SseMessage::default() {
                self.complete.push_back(message);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "" => self.message.comments.push(value),
            "id" => self.message.id = Some(value),
            "event" => self.message.event = Some(value),
            "data" => match &mut self.message.data {
                Some(data) => data.extend(["\n", &value]),
                none => *none = Some(value),
            },
            "retry" => self.message.retry = value.parse().ok().map(Duration::from_millis),
            // The standard: a client ignores fields it does not know.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\nretry: 2000\n\nid: 7\r\nevent: notification\r\ndata: {\r\ndata: }\r\n\r\n\rdata:no space\rdata\r\runknown: x\n";

    fn expected() -> Vec<SseMessage> {
        let blank = SseMessage::default;
        vec![
            SseMessage {
                retry: Some(Duration::from_secs(2)),
                comments: vec!["hello".to_owned()],
                ..blank()
            },
            SseMessage {
                id: Some("7".to_owned()),
                event: Some("notification".to_owned()),
                data: Some("{\n}".to_owned()),
                ..blank()
            },
            SseMessage {
                data: Some("no space\n".to_owned()),
                ..blank()
            },
        ]
    }

    #[test]
    fn messages_are_the_same_wherever_the_chunks_are_cut() {
        for size in 1..=STREAM.len() {
            let mut parser = Parser::default();
            STREAM.as_bytes().chunks(size).for_each(|c| parser.feed(c));
            assert_eq!(
                Vec::from(parser.complete),
                expected(),
                "cut every {size} bytes"
            );
        }
    }

    #[test]
    fn an_unfinished_message_is_not_delivered() {
        let mut parser = Parser::default();
        parser.feed(b"data: half\n");
        assert!(parser.complete.is_empty());
    }
}
