//! How a body gets from who serves the connection to who speaks on it.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::{ConnectionType, StatusCode, Version};
use actix_web::web::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::line::Line;
use super::{Framing, Lasting};

/// A connection that is served, with a place where a body that lasts is put down; clones share it.
#[derive(Debug, Clone)]
pub(in crate::server) struct Handing(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    line: Line,
    answer: RefCell<Option<Answer>>,
    /// The socket has taken the head of that answer.
    over: Cell<bool>,
}

/// A body whose head was written.
#[derive(Debug)]
pub(in crate::server) struct Answer {
    pub(super) body: BoxBody,
    pub(super) framing: Framing,
}

impl Handing {
    pub(in crate::server) fn new(line: Line) -> Self {
        Self(Rc::new(Shared {
            line,
            answer: RefCell::default(),
            over: Cell::default(),
        }))
    }

    pub(in crate::server) fn line(&self) -> &Line {
        &self.0.line
    }

    /// Whether who serves the connection has nothing left to do.
    pub(in crate::server) fn is_over(&self) -> bool {
        self.0.over.get()
    }

    /// What was put down.
    pub(in crate::server) fn take(&self) -> Option<Answer> {
        self.0.answer.take()
    }
}

impl AsyncRead for Handing {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.line().with(|socket| socket.poll_read(context, room))
    }
}

impl AsyncWrite for Handing {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.line().with(|socket| socket.poll_write(context, bytes))
    }

    /// Who serves the connection asks for it when the socket has taken all there was to write.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.over.set(self.0.answer.borrow().is_some());
        self.line().with(|socket| socket.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.line().with(|socket| socket.poll_shutdown(context))
    }
}

/// Lets the body of an answer that lasts leave; all others stay as they are.
pub(in crate::server) fn hand_over<B: MessageBody + 'static>(
    mut response: ServiceResponse<B>,
) -> ServiceResponse<EitherBody<B, Leaving>> {
    let lasts = response.response().extensions().contains::<Lasting>();
    let handing = response.request().conn_data::<Handing>().filter(|_| lasts);
    let Some(handing) = handing.cloned() else {
        return response.map_body(|_, body| EitherBody::left(body));
    };
    let framing = match (response.status(), response.request().version()) {
        (StatusCode::SWITCHING_PROTOCOLS, _) => Framing::Upgraded,
        (_, Version::HTTP_11) => Framing::Chunked,
        _ => Framing::UntilEnd,
    };
    if framing != Framing::Upgraded {
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
        head.no_chunking(framing != Framing::Chunked);
    }
    response.map_body(|_, body| {
        let body = BoxBody::new(body);
        let answer = Some(Answer { body, framing });
        EitherBody::right(Leaving { handing, answer })
    })
}

/// In place of the body: puts it down when the head is written.
#[derive(Debug)]
pub(in crate::server) struct Leaving {
    handing: Handing,
    answer: Option<Answer>,
}

impl MessageBody for Leaving {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        // Asked for the first time when the head is in the buffer that is written next; never
        // again, because the connection is over then.
        if let Some(answer) = self.answer.take() {
            self.handing.0.answer.replace(Some(answer));
        }
        Poll::Pending
    }
}
