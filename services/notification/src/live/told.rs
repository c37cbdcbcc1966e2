//! A place of a sequence as streams tell it: written once, sent on as many streams as there are.

use std::sync::OnceLock;

use actix_web::web::Bytes;
use lyceum_contracts::notification::CourseNews;

use super::socket::frames;
use super::sse::{self, Name};
use crate::inbox::Entry;

/// One notification or one change, or something that happened in a course, ready to be sent. Share it in an `Arc`.
#[derive(Debug)]
pub(super) struct Told {
    name: Name,
    seq: i64,
    json: String,
    event: OnceLock<Bytes>,
    frame: OnceLock<Bytes>,
}

impl Told {
    pub(super) fn new(entry: &Entry) -> Self {
        let (name, json) = match entry {
            Entry::Notification(notification) => (
                Name::Notification,
                // Types of ours with text keys always become JSON.
                serde_json::to_string(notification).unwrap_or_default(),
            ),
            Entry::Change { data, .. } => (Name::Change, data.to_string()),
        };
        Self::of(name, entry.seq(), json)
    }

    pub(super) fn news(news: &CourseNews) -> Self {
        let json = serde_json::to_string(news).unwrap_or_default();
        Self::of(Name::News, news.seq, json)
    }

    fn of(name: Name, seq: i64, json: String) -> Self {
        Self {
            name,
            seq,
            json,
            event: OnceLock::new(),
            frame: OnceLock::new(),
        }
    }

    /// Its place in the sequence.
    pub(super) fn seq(&self) -> i64 {
        self.seq
    }

    /// About how many bytes it takes on any transport.
    pub(super) fn weight(&self) -> usize {
        self.json.len()
    }

    /// As a Server-Sent Event.
    pub(super) fn event(&self) -> Bytes {
        let write = || sse::event(self.name, Some(self.seq), &self.json).into();
        self.event.get_or_init(write).clone()
    }

    /// As a frame of a WebSocket.
    pub(super) fn frame(&self) -> Bytes {
        let name = self.name.as_str();
        let write = || frames::text(&format!("{{\"type\":\"{name}\",{}", &self.json[1..]));
        self.frame.get_or_init(write).clone()
    }
}
