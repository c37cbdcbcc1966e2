//! What a listener makes of the bytes that come, and how messages say when they were sent. Pure.

use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use memchr::memmem;
use serde::{Deserialize, Serialize};

/// What a listener listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Ours.
    Socket,
    /// Ours.
    Sse,
    /// A WebSocket of the bare loop.
    Bare,
}

/// Something whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Whole<'a> {
    Message(&'a [u8]),
    Ping(&'a [u8]),
}

/// An event ends with an empty line, the chunk that it is with another.
pub(crate) const EVENT_END: &[u8] = b"\n\n\r\n";
/// What stands before the time of sending.
const STAMP: &str = "sent=";
/// Digits of that time, in microseconds since 1970.
const DIGITS: usize = 16;
/// As long as a message that is measured is.
const TEXT_BYTES: usize = 100;

/// Microseconds since 1970, by the clock all processes share.
pub(crate) fn now_us() -> Result<u64> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(u64::try_from(now.as_micros())?)
}

/// A hundred bytes that say when they were sent.
pub(crate) fn text(sent_us: u64) -> String {
    format!("{:x<TEXT_BYTES$}", format!("{STAMP}{sent_us:0DIGITS$} "))
}

/// When a message was sent, if it is one of ours.
pub(crate) fn sent_us(message: &[u8]) -> Option<u64> {
    let at = memmem::find(message, STAMP.as_bytes())? + STAMP.len();
    let digits = message.get(at..at + DIGITS)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl Kind {
    /// Several, for the table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Socket => "WebSockets",
            Self::Sse => "event streams",
            Self::Bare => "bare WebSockets",
        }
    }

    /// Hands over what is whole in front of `unread`; how many bytes that was.
    pub(crate) fn read(
        self,
        unread: &[u8],
        hear: impl FnMut(Whole<'_>) -> Result<()>,
    ) -> Result<usize> {
        match self {
            Self::Sse => events(unread, hear),
            Self::Socket | Self::Bare => frames(unread, hear),
        }
    }
}

fn events(unread: &[u8], mut hear: impl FnMut(Whole<'_>) -> Result<()>) -> Result<usize> {
    let mut taken = 0;
    while let Some(end) = memmem::find(&unread[taken..], EVENT_END) {
        let event = &unread[taken..taken + end];
        // Behind the length of the chunk.
        let start = memmem::find(event, b"\r\n").context("a chunk without a length")? + 2;
        if !event[start..].starts_with(b":") {
            hear(Whole::Message(&event[start..]))?;
        }
        taken += end + EVENT_END.len();
    }
    Ok(taken)
}

/// Of a server, so without a mask (RFC 6455 §5.2).
fn frames(unread: &[u8], mut hear: impl FnMut(Whole<'_>) -> Result<()>) -> Result<usize> {
    let mut taken = 0;
    loop {
        let (kind, head, length) = match unread[taken..] {
            [kind, 126, high, low, ..] => (kind, 4, usize::from(u16::from_be_bytes([high, low]))),
            [kind, short @ 0..126, ..] => (kind, 2, usize::from(short)),
            _ => return Ok(taken),
        };
        let Some(data) = unread.get(taken + head..taken + head + length) else {
            return Ok(taken);
        };
        match kind {
            0x81 => hear(Whole::Message(data))?,
            0x89 => hear(Whole::Ping(data))?,
            _ => bail!("a frame {kind:#x}: {}", String::from_utf8_lossy(data)),
        }
        taken += head + length;
    }
}

/// A short frame of a client, masked with zeros.
pub(crate) fn frame(kind: u8, data: &[u8]) -> Result<Vec<u8>> {
    let length = u8::try_from(data.len())?;
    Ok([&[kind, 0x80 | length, 0, 0, 0, 0], data].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(kind: Kind, unread: &[u8]) -> (usize, Vec<String>) {
        let mut heard = Vec::new();
        let taken = kind.read(unread, |whole| {
            heard.push(match whole {
                Whole::Message(text) => String::from_utf8_lossy(text).into_owned(),
                Whole::Ping(data) => format!("ping {data:?}"),
            });
            Ok(())
        });
        (taken.unwrap(), heard)
    }

    #[test]
    fn a_message_says_when_it_was_sent() {
        let text = text(1_763_859_109_123_456);
        assert_eq!(text.len(), TEXT_BYTES);
        assert_eq!(sent_us(text.as_bytes()), Some(1_763_859_109_123_456));
        assert_eq!(sent_us(b"sent=12"), None);
    }

    #[test]
    fn what_is_whole_is_heard_and_the_rest_is_left() {
        let stream = b"9\r\ndata: a\n\n\r\n8\r\n: ping\n\n\r\n9\r\ndata: b";
        assert_eq!(heard(Kind::Sse, stream), (28, vec!["data: a".to_owned()]));
        let mut stream = vec![0x81, 1, b'a', 0x89, 1, 7, 0x81, 126, 0, 200];
        stream.extend([b'b'; 199]);
        let both = vec!["a".to_owned(), "ping [7]".to_owned()];
        assert_eq!(heard(Kind::Socket, &stream), (6, both));
        stream.push(b'b');
        assert_eq!(heard(Kind::Bare, &stream[6..]).0, 204);
    }
}
