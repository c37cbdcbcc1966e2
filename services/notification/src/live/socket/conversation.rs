//! The conversation on one WebSocket, without clock or wire: what the client's frames mean, what is
//! answered, when the server asks for a sign of life, and when it has had enough. Pure.

use std::time::Duration;

use actix_http::ws::{Frame, Item};
use actix_web::web::Bytes;
use tokio::time::Instant;

use super::closing::Closing;
use super::frames::MAX_MESSAGE;
use super::message::{self, ClientMessage, Objection};
use super::window::Window;

/// The third message that is not understood closes the socket.
const STRIKES: u8 = 3;

/// How long the server waits for what, and how much it listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// For `hello`.
    pub(crate) hello: Duration,
    /// From one sign of life to the next.
    pub(crate) ping: Duration,
    /// For the answer.
    pub(crate) pong: Duration,
    /// Frames a client may send by itself in a minute.
    pub(crate) per_minute: u32,
}

/// What follows from a frame, or from a moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    /// The stream begins, after this place if the client names one.
    Welcome(Option<i64>),
    Objection(Objection),
    Ping(u32),
    Pong(Bytes),
    Close(Closing),
    /// The client closes; its code goes back to it.
    Goodbye(Option<actix_http::ws::CloseReason>),
}

/// Where the conversation is.
#[derive(Debug)]
pub(super) struct Conversation {
    patience: Patience,
    waits: Waits,
    greeted: bool,
    pings: u32,
    strikes: u8,
    /// A message of several frames, as far as it has come.
    begun: Option<Vec<u8>>,
    window: Window,
    allowance: Allowance,
}

/// What happens next if the client says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    ForHello(Instant),
    ToPing(Instant),
    ForPong(Instant),
}

impl Conversation {
    pub(super) fn new(patience: Patience, now: Instant) -> Self {
        Self {
            patience,
            waits: Waits::ForHello(now + patience.hello),
            greeted: false,
            pings: 0,
            strikes: 0,
            begun: None,
            window: Window::default(),
            allowance: Allowance::full(patience.per_minute, now),
        }
    }

    /// The stream begins after `seq`.
    pub(super) fn welcomed(&mut self, seq: i64) {
        self.window.begin(seq);
    }

    /// Whether one more notification may be sent.
    pub(super) fn has_room(&self) -> bool {
        self.greeted && self.window.has_room()
    }

    /// One was sent.
    pub(super) fn sent(&mut self, seq: i64, bytes: usize, now: Instant) {
        self.window.sent(seq, bytes);
        self.ask_soon(now);
    }

    /// When [`Self::tick`] wants to be called.
    pub(super) fn due(&self) -> Instant {
        match self.waits {
            Waits::ForHello(moment) | Waits::ToPing(moment) | Waits::ForPong(moment) => moment,
        }
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, now: Instant) -> Reply {
        match self.waits {
            _ if now < self.due() => Reply::Nothing,
            Waits::ForHello(_) => Reply::Close(Closing::NoHello),
            Waits::ForPong(_) if self.window.owes() => Reply::Close(Closing::Slow),
            Waits::ForPong(_) => Reply::Close(Closing::NoPong),
            Waits::ToPing(_) => {
                self.pings = self.pings.wrapping_add(1);
                self.window.ask();
                self.waits = Waits::ForPong(now + self.patience.pong);
                Reply::Ping(self.pings)
            }
        }
    }

    /// The client has sent a frame.
    pub(super) fn receive(&mut self, frame: Frame, now: Instant) -> Reply {
        let costs = !self.is_answer(&frame);
        if costs && !self.allowance.spend(now) {
            return Reply::Close(Closing::TooManyMessages);
        }
        match frame {
            Frame::Text(text) => self.text(&text, now),
            Frame::Continuation(Item::FirstText(part)) => self.part(Vec::new(), &part, false, now),
            Frame::Continuation(Item::Continue(part)) => {
                let begun = self.begun.take().unwrap_or_default();
                self.part(begun, &part, false, now)
            }
            Frame::Continuation(Item::Last(part)) => {
                let begun = self.begun.take().unwrap_or_default();
                self.part(begun, &part, true, now)
            }
            Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => {
                Reply::Close(Closing::TextOnly)
            }
            Frame::Ping(data) => Reply::Pong(data),
            Frame::Pong(_) => {
                if !costs {
                    self.window.answered();
                    self.waits = Waits::ToPing(now + self.patience.ping);
                    self.ask_soon(now);
                }
                Reply::Nothing
            }
            Frame::Close(reason) => Reply::Goodbye(reason),
        }
    }

    /// The pong that is being waited for, which the client was asked for.
    fn is_answer(&self, frame: &Frame) -> bool {
        let waits = matches!(self.waits, Waits::ForPong(_));
        waits && matches!(frame, Frame::Pong(data) if data[..] == self.pings.to_be_bytes())
    }

    fn ask_soon(&mut self, now: Instant) {
        if self.window.is_half_full() && matches!(self.waits, Waits::ToPing(_)) {
            self.waits = Waits::ToPing(now);
        }
    }

    fn part(&mut self, mut begun: Vec<u8>, part: &[u8], is_last: bool, now: Instant) -> Reply {
        if begun.len() + part.len() > MAX_MESSAGE {
            return Reply::Close(Closing::TooBig);
        }
        begun.extend_from_slice(part);
        if is_last {
            return self.text(&begun, now);
        }
        self.begun = Some(begun);
        Reply::Nothing
    }

    fn text(&mut self, text: &[u8], now: Instant) -> Reply {
        let Ok(text) = std::str::from_utf8(text) else {
            return Reply::Close(Closing::NotUtf8);
        };
        match message::read(text) {
            Ok(ClientMessage::Hello { .. }) if self.greeted => {
                self.object(Objection::AlreadyGreeted)
            }
            Ok(ClientMessage::Hello { last_seq }) => {
                self.greeted = true;
                self.waits = Waits::ToPing(now + self.patience.ping);
                Reply::Welcome(last_seq)
            }
            Ok(ClientMessage::Ack { .. }) if !self.greeted => Reply::Close(Closing::NotHello),
            Ok(ClientMessage::Ack { seq }) => {
                if self.window.acknowledged(seq) {
                    self.allowance.give_back();
                    Reply::Nothing
                } else {
                    self.object(Objection::NeverSent)
                }
            }
            Err(objection) => self.object(objection),
        }
    }

    fn object(&mut self, objection: Objection) -> Reply {
        self.strikes += 1;
        if self.strikes >= STRIKES {
            Reply::Close(Closing::NotUnderstood)
        } else {
            Reply::Objection(objection)
        }
    }
}

/// Frames a client may still send; they come back over a minute.
#[derive(Debug)]
struct Allowance {
    per_minute: u32,
    left: u32,
    counted_at: Instant,
}

impl Allowance {
    const fn full(per_minute: u32, now: Instant) -> Self {
        Self {
            per_minute,
            left: per_minute,
            counted_at: now,
        }
    }

    /// Whether one more is allowed.
    fn spend(&mut self, now: Instant) -> bool {
        let each = Duration::from_mins(1) / self.per_minute;
        let passed = now.saturating_duration_since(self.counted_at);
        let back = u32::try_from(passed.as_nanos() / each.as_nanos().max(1)).unwrap_or(u32::MAX);
        if back > 0 {
            self.left = self.left.saturating_add(back).min(self.per_minute);
            self.counted_at = now;
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }

    fn give_back(&mut self) {
        self.left = (self.left + 1).min(self.per_minute);
    }
}

#[cfg(test)]
mod tests;
