//! How much was sent that the client is not known to have taken. Pure.
//!
//! Only its answers tell: what the kernel has accepted may wait in buffers on either side. So there
//! is never more on its way than [`MESSAGES`] or [`BYTES`], and a client that answers slowly is
//! sent as much as it answers for.

/// As many as autopush-rs keeps for a client.
pub(super) const MESSAGES: u32 = 128;

/// Less than the 32 KiB the HTTP server takes before it stops asking for more: while there is room
/// for a byte it asks, and so a stream whose client takes nothing still hears of its deadlines.
pub(super) const BYTES: usize = 24 * 1024;

/// A part of what is on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Share {
    messages: u32,
    bytes: usize,
}

/// What is on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// Before the ping that is being waited for.
    before_ping: Share,
    /// Since then.
    since: Share,
    /// The last place sent.
    last_seq: i64,
}

impl Window {
    pub(super) fn begin(&mut self, seq: i64) {
        self.last_seq = seq;
    }

    pub(super) fn sent(&mut self, seq: i64, bytes: usize) {
        self.since.messages += 1;
        self.since.bytes += bytes;
        self.last_seq = seq;
    }

    /// Whether one more may be sent; the last one may be as long as it is.
    pub(super) fn has_room(&self) -> bool {
        self.messages() < MESSAGES && self.bytes() < BYTES
    }

    /// Whether it is time to ask what has been taken.
    pub(super) fn is_half_full(&self) -> bool {
        self.messages() >= MESSAGES / 2 || self.bytes() >= BYTES / 2
    }

    /// A ping goes out behind everything sent until now.
    pub(super) fn ask(&mut self) {
        self.before_ping = Share {
            messages: self.messages(),
            bytes: self.bytes(),
        };
        self.since = Share::default();
    }

    /// Its pong is there, and so everything before it was taken.
    pub(super) fn answered(&mut self) {
        self.before_ping = Share::default();
    }

    /// Whether the client owes an answer for notifications, rather than for the ping alone.
    pub(super) fn owes(&self) -> bool {
        self.before_ping.messages > 0
    }

    /// The client says how far it has come; whether that can be.
    pub(super) fn acknowledged(&mut self, seq: i64) -> bool {
        if seq == self.last_seq {
            self.before_ping = Share::default();
            self.since = Share::default();
        }
        seq <= self.last_seq
    }

    fn messages(&self) -> u32 {
        self.before_ping.messages + self.since.messages
    }

    fn bytes(&self) -> usize {
        self.before_ping.bytes + self.since.bytes
    }
}
