//! One open WebSocket: listens, tells, and waits for what ends it.

use std::convert::Infallible;
use std::sync::Arc;

use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use lyceum_chassis::clock;
use lyceum_chassis::server::Inbound;
use tokio::time::Instant;

use super::closing::Closing;
use super::conversation::{Conversation, Reply};
use super::frames::{self, Incoming};
use super::message::{Leaving, ServerMessage};
use crate::live::alarm::Alarm;
use crate::live::domain::{Start, come_back_in};
use crate::live::ending::{Ending, Farewell};
use crate::live::follower::Follower;
use crate::live::hub::{Cut, Seat};
use crate::live::store;
use crate::live::told::Told;
use crate::state::State;

/// An open socket.
#[derive(Debug)]
pub(in crate::live) struct Connection {
    state: State,
    /// Until the stream begins.
    seat: Option<Seat>,
    /// From then on.
    follower: Option<Follower>,
    incoming: Incoming,
    conversation: Conversation,
    /// When the conversation is due.
    alarm: Alarm,
    ending: Ending,
    cut: Cut,
    closed: bool,
}

/// What can happen on it.
#[derive(Debug)]
enum Happening {
    Farewell(Farewell),
    Frame(actix_http::ws::Frame),
    Malformed(Closing),
    Gone,
    Due,
    Told(Arc<Told>),
}

impl Connection {
    /// A socket whose handshake is being answered.
    pub(in crate::live) fn new(state: State, seat: Seat, ending: Ending, inbound: Inbound) -> Self {
        let conversation = Conversation::new(state.patience, Instant::now());
        Self {
            alarm: Alarm::at(conversation.due()),
            conversation,
            cut: seat.cut(),
            state,
            seat: Some(seat),
            follower: None,
            incoming: Incoming::new(inbound),
            ending,
            closed: false,
        }
    }

    /// The body of the response: frames. It ends; it never fails.
    pub(in crate::live) fn into_body(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut connection| async move {
            let bytes = connection.next().await?;
            Some((Ok(bytes), connection))
        })
    }

    async fn next(&mut self) -> Option<Bytes> {
        while !self.closed {
            let bytes = match self.happening().await {
                Happening::Farewell(farewell) => self.leave(farewell),
                Happening::Malformed(closing) => self.close(closing),
                Happening::Gone => return None,
                Happening::Frame(frame) => {
                    let reply = self.conversation.receive(frame, Instant::now());
                    self.reply(reply).await
                }
                Happening::Due => {
                    let reply = self.conversation.tick(Instant::now());
                    self.reply(reply).await
                }
                Happening::Told(told) => {
                    let bytes = told.frame();
                    self.conversation
                        .sent(told.seq(), bytes.len(), Instant::now());
                    bytes
                }
            };
            if !bytes.is_empty() {
                return Some(bytes);
            }
        }
        None
    }

    /// In this order: what the client has said before it was late counts, and one that is far
    /// behind does not keep the socket from ending.
    async fn happening(&mut self) -> Happening {
        let due = self.conversation.due();
        let has_room = self.conversation.has_room();
        tokio::select! {
            biased;
            farewell = self.ending.reached() => Happening::Farewell(farewell),
            frame = self.incoming.next() => match frame {
                Some(Ok(frame)) => Happening::Frame(frame),
                Some(Err(closing)) => Happening::Malformed(closing),
                None => Happening::Gone,
            },
            () = self.alarm.reached(due) => Happening::Due,
            told = next_of(&mut self.follower), if has_room => Happening::Told(told),
        }
    }

    async fn reply(&mut self, reply: Reply) -> Bytes {
        match reply {
            Reply::Nothing => Bytes::new(),
            Reply::Welcome(last_seq) => self.welcome(last_seq).await,
            Reply::Objection(code) => say(&ServerMessage::Error { code }),
            Reply::Ping(number) => frames::ping(&number.to_be_bytes()),
            Reply::Pong(data) => frames::pong(&data),
            Reply::Close(closing) => self.close(closing),
            Reply::Goodbye(reason) => {
                self.closed = true;
                frames::close(reason)
            }
        }
    }

    /// Begins the stream. The seat was taken before the position is read: whatever was written
    /// between the two is then read, and whatever comes later wakes the seat.
    async fn welcome(&mut self, last_seq: Option<i64>) -> Bytes {
        let Some(seat) = self.seat.take() else {
            return Bytes::new();
        };
        let database = &self.state.database;
        let position = match store::position(database, seat.topic(), clock::now()).await {
            Ok(Some(position)) => position,
            Ok(None) => return self.close(Closing::NotAMember),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(event = "live.read_failed", error, "a stream cannot begin");
                return self.close(Closing::Unavailable);
            }
        };
        let start = Start::after_place(last_seq, &position);
        self.conversation.welcomed(start.after);
        let rest = self.state.pace.heartbeat;
        let (database, head) = (database.clone(), position.head_seq);
        self.follower = Some(Follower::new(database, seat, start.after, head, rest));
        say(&ServerMessage::Welcome {
            recovered: start.recovered,
            head_seq: position.head_seq,
            unread: position.count.map(|count| count.unread),
            capped: position.count.map(|count| count.capped),
            seq: start.after,
        })
    }

    fn leave(&mut self, farewell: Farewell) -> Bytes {
        let (closing, reason, retry_ms) = match farewell {
            Farewell::Stopping => {
                let retry = come_back_in(self.state.pace.retry).as_millis();
                let retry = u64::try_from(retry).unwrap_or(u64::MAX);
                (Closing::Stopping, Leaving::Stopping, Some(retry))
            }
            Farewell::TokenExpired => (Closing::TokenExpired, Leaving::TokenExpired, None),
            Farewell::TokenRevoked => (Closing::TokenRevoked, Leaving::TokenRevoked, None),
            Farewell::NotAMember => (Closing::NotAMember, Leaving::NotAMember, None),
        };
        let bye = say(&ServerMessage::Bye { reason, retry_ms });
        [bye, self.close(closing)].concat().into()
    }

    fn close(&mut self, closing: Closing) -> Bytes {
        self.closed = true;
        self.cut.because(closing.as_str());
        frames::close(Some(closing.reason()))
    }
}

/// Nothing before the stream has begun.
async fn next_of(follower: &mut Option<Follower>) -> Arc<Told> {
    match follower {
        Some(follower) => follower.next().await,
        None => std::future::pending().await,
    }
}

fn say(message: &ServerMessage) -> Bytes {
    frames::text(&message.write())
}
