//! A body on a bare socket.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::timeout;

use super::Framing;
use super::handing::Answer;
use super::line::Line;

/// As much as may wait for the socket before the body is asked for no more, as while the server
/// writes: a body may count on being asked while less waits.
const ROOM: usize = 32 * 1024;
/// The most that is kept for the next one to be written with.
const SCRATCH: usize = 128 * 1024;
/// How long a client may take to close the connection once the answer has ended.
const LINGER: Duration = Duration::from_secs(1);
/// How often in a row something is read that nobody wants, before others have their turn.
const READS: usize = 4;

/// What is written goes through one buffer for all connections of a thread; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch(Rc<RefCell<Vec<u8>>>);

/// Resolves with the end of the body, or when its client has gone.
#[derive(Debug)]
pub(super) struct Speaking {
    line: Line,
    body: BoxBody,
    framing: Framing,
    /// What the socket has not taken.
    unsent: Vec<u8>,
    ended: bool,
    scratch: Scratch,
}

impl Speaking {
    pub(super) fn new(line: Line, answer: Answer, scratch: Scratch) -> Self {
        let Answer { body, framing } = answer;
        Self {
            line,
            body,
            framing,
            unsent: Vec::new(),
            ended: false,
            scratch,
        }
    }

    /// Says all, and closes the connection.
    pub(super) async fn say_all(mut self) -> io::Result<()> {
        (&mut self).await?;
        let Self { line, .. } = self;
        line.finish().await?;
        // Bytes that arrive at a closed socket make the kernel take back what the client has not
        // read yet (RFC 9112 §9.6).
        let gone = async { while line.read_some::<256>().await.is_ok_and(|it| !it.is_empty()) {} };
        // It has had its time.
        timeout(LINGER, gone).await.ok();
        Ok(())
    }

    /// Whether the client is still there, if the body does not see to it.
    fn listen(&self, context: &mut Context<'_>) -> io::Result<()> {
        if self.framing == Framing::Upgraded {
            return Ok(());
        }
        for _ in 0..READS {
            let mut room = [0; 256];
            let mut room = ReadBuf::new(&mut room);
            if self
                .line
                .with(|socket| socket.poll_read(context, &mut room))?
                .is_pending()
            {
                return Ok(());
            }
            if room.filled().is_empty() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
        }
        context.waker().wake_by_ref();
        Ok(())
    }

    /// Writes `out`, and what the body has, until there is no more of it for now.
    fn pump(&mut self, out: &mut Vec<u8>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let has_more = self.fill(out, context)?;
            ready!(self.write(out, context))?;
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            if !has_more {
                return Poll::Pending;
            }
        }
    }

    /// Takes from the body what there is room for; whether it can have more now.
    fn fill(&mut self, out: &mut Vec<u8>, context: &mut Context<'_>) -> io::Result<bool> {
        while !self.ended && out.len() < ROOM {
            match Pin::new(&mut self.body).poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => self.framing.put(&bytes, out),
                Poll::Ready(Some(Err(error))) => return Err(io::Error::other(error.to_string())),
                Poll::Ready(None) => {
                    self.ended = true;
                    self.framing.end(out);
                }
                Poll::Pending => return Ok(false),
            }
        }
        Ok(true)
    }

    fn write(&self, out: &mut Vec<u8>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !out.is_empty() {
            match ready!(self.line.with(|socket| socket.poll_write(context, out)))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => out.drain(..written),
            };
        }
        Poll::Ready(Ok(()))
    }
}

impl Future for Speaking {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.listen(context)?;
        if !this.unsent.is_empty() {
            let mut out = mem::take(&mut this.unsent);
            let polled = this.pump(&mut out, context);
            if !out.is_empty() {
                this.unsent = out;
            }
            return polled;
        }
        let mut out = this.scratch.0.take();
        let polled = this.pump(&mut out, context);
        this.unsent = out.as_slice().to_vec();
        out.clear();
        if out.capacity() <= SCRATCH {
            this.scratch.0.replace(out);
        }
        polled
    }
}
