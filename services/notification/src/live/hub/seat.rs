//! The place of one open stream in the hub.

use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;

use lyceum_contracts::live::Transport;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Hub;
use crate::live::heard::Heard;
use crate::live::open::OpenStream;
use crate::live::told::Told;
use crate::live::topic::Topic;

/// The place of one open stream; dropping it gives it back.
#[derive(Debug)]
pub(in crate::live) struct Seat {
    pub(super) hub: Hub,
    pub(super) stream: Arc<OpenStream>,
    pub(super) heard: watch::Receiver<Heard>,
}

impl Seat {
    /// What the stream follows.
    pub(in crate::live) fn topic(&self) -> Topic {
        self.stream.topic
    }

    /// Ends when the person may not listen any more; none for what is always theirs.
    pub(in crate::live) fn stay(&self) -> Option<CancellationToken> {
        self.stream.stay.as_ref().map(|stay| stay.ended.clone())
    }

    /// The stream goes on after this place.
    pub(in crate::live) fn begins_after(&self, seq: i64) {
        self.stream.begins_after(seq);
    }

    /// Tells all streams of this sequence how far it has come.
    pub(in crate::live) fn wake(&self, head_seq: i64) {
        self.hub.wake(self.topic(), head_seq);
    }

    /// Resolves once the sequence is known to go beyond `seq`.
    pub(in crate::live) async fn beyond(&mut self, seq: i64) {
        if self.heard.wait_for(|heard| heard.head > seq).await.is_err() {
            // The hub keeps the sender while this seat exists; without one there is no more news.
            std::future::pending::<()>().await;
        }
    }

    /// What comes after `seq`, as far as it is kept; nothing when it must be read.
    pub(in crate::live) fn heard_after(&self, seq: i64) -> Vec<Arc<Told>> {
        self.heard.borrow().after(seq)
    }

    /// Counts the entry that goes out.
    pub(in crate::live) fn delivered(&self, seq: i64) {
        self.stream.sends(seq);
        self.hub.0.metrics.delivered(self.stream.transport);
    }

    /// For the one who ends the stream.
    pub(in crate::live) fn cut(&self) -> Cut {
        Cut {
            hub: self.hub.clone(),
            transport: self.stream.transport,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut watched = self.hub.watched();
        watched.streams -= 1;
        if let Slot::Occupied(mut theirs) = watched.people.entry(self.stream.user) {
            let streams = theirs.get_mut();
            streams.retain(|it| !Arc::ptr_eq(it, &self.stream));
            if streams.is_empty() {
                theirs.remove();
                if let Some(changes) = &self.hub.0.changes {
                    changes.left(self.stream.user, Instant::now());
                }
            }
        }
        if let Slot::Occupied(heard) = watched.sequences.entry(self.topic()) {
            // This seat still counts as a receiver.
            if heard.get().receiver_count() <= 1 {
                heard.remove();
            }
        }
        drop(watched);
        self.hub.0.metrics.closed(self.stream.transport);
    }
}

/// Counts why the server ended a stream.
#[derive(Debug)]
pub(in crate::live) struct Cut {
    hub: Hub,
    transport: Transport,
}

impl Cut {
    /// `reason` is one of a closed set.
    pub(in crate::live) fn because(&self, reason: &'static str) {
        self.hub.0.metrics.ended(self.transport, reason);
    }
}
