//! A notification as streams tell it: written once, sent on as many streams as there are.

use std::sync::OnceLock;

use actix_web::web::Bytes;
use lyceum_contracts::notification::Notification;

use super::socket::frames;
use super::sse::{self, Name};

/// One notification, ready to be sent. Share it in an `Arc`.
#[derive(Debug)]
pub(super) struct Told {
    seq: i64,
    json: String,
    event: OnceLock<Bytes>,
    frame: OnceLock<Bytes>,
}

impl Told {
    pub(super) fn new(notification: &Notification) -> Self {
        Self {
            seq: notification.seq,
            json: serde_json::to_string(notification).unwrap_or_default(),
            event: OnceLock::new(),
            frame: OnceLock::new(),
        }
    }

    /// Its place in the person's sequence.
    pub(super) fn seq(&self) -> i64 {
        self.seq
    }

    /// About how many bytes it takes on any transport.
    pub(super) fn weight(&self) -> usize {
        self.json.len()
    }

    /// As a Server-Sent Event.
    pub(super) fn event(&self) -> Bytes {
        let write = || sse::event(Name::Notification, Some(self.seq), &self.json).into();
        self.event.get_or_init(write).clone()
    }

    /// As a frame of a WebSocket.
    pub(super) fn frame(&self) -> Bytes {
        let write = || frames::text(&format!("{{\"type\":\"notification\",{}", &self.json[1..]));
        self.frame.get_or_init(write).clone()
    }
}
