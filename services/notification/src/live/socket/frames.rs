//! Frames of a WebSocket as bytes, in and out.

use std::fmt;

use actix_http::ws::{CloseReason, Codec, Frame, OpCode, Parser, ProtocolError};
use actix_web::web::{Bytes, BytesMut};
use lyceum_chassis::server::Inbound;
use tokio_util::codec::Decoder;

use super::closing::Closing;

/// The longest message of a client. The longest it could rightly send has some sixty bytes.
pub(super) const MAX_MESSAGE: usize = 4 * 1024;
/// The longest head of a client's frame (RFC 6455 §5.2).
const MAX_HEAD: usize = 14;

/// What the client sends, frame by frame.
pub(super) struct Incoming {
    inbound: Inbound,
    codec: Codec,
    unread: BytesMut,
}

impl Incoming {
    pub(super) fn new(inbound: Inbound) -> Self {
        Self {
            inbound,
            codec: Codec::new().max_size(MAX_MESSAGE),
            unread: BytesMut::new(),
        }
    }

    /// The next frame; `None` when the client has gone. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Result<Frame, Closing>> {
        loop {
            match self.codec.decode(&mut self.unread) {
                Ok(Some(frame)) => {
                    if self.unread.is_empty() {
                        // An idle socket keeps no buffer.
                        self.unread = BytesMut::new();
                    }
                    return Some(Ok(frame));
                }
                // The codec would wait for the whole of it, however long it is said to be.
                Ok(None) if self.unread.len() > MAX_MESSAGE + MAX_HEAD => {
                    return Some(Err(Closing::TooBig));
                }
                Ok(None) => {}
                Err(ProtocolError::Overflow) => return Some(Err(Closing::TooBig)),
                Err(_) => return Some(Err(Closing::ProtocolError)),
            }
            let chunk = self.inbound.next().await?;
            self.unread.extend_from_slice(&chunk);
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}

/// A message of text.
pub(in crate::live) fn text(text: &str) -> Bytes {
    frame(text.as_bytes(), OpCode::Text)
}

/// `data` has at most 125 bytes (RFC 6455 §5.5).
pub(super) fn ping(data: &[u8]) -> Bytes {
    frame(data, OpCode::Ping)
}

/// As [`ping`].
pub(super) fn pong(data: &[u8]) -> Bytes {
    frame(data, OpCode::Pong)
}

pub(super) fn close(reason: Option<CloseReason>) -> Bytes {
    let mut bytes = BytesMut::new();
    Parser::write_close(&mut bytes, reason, false);
    bytes.freeze()
}

fn frame(data: &[u8], kind: OpCode) -> Bytes {
    let mut bytes = BytesMut::with_capacity(data.len() + MAX_HEAD);
    Parser::write_message(&mut bytes, data, kind, true, false);
    bytes.freeze()
}
