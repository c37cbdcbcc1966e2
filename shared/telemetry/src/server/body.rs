//! A response body that knows its request: it ends the span with its last byte, or runs in an ended one.

use actix_web::{
    body::{BodySize, MessageBody},
    web::Bytes,
};
use opentelemetry::Context;
use pin_project_lite::pin_project;
use std::{
    pin::Pin,
    task::{self, Poll},
};

use super::span::RequestSpan;

pin_project! {
    /// The body of a response that passed [`RequestTelemetry`](super::RequestTelemetry).
    pub struct TracedBody<B> {
        #[pin]
        inner: B,
        place: Place,
    }
}

enum Place {
    /// The span is open and ends when the body is complete or given up.
    Request(Box<RequestSpan>),
    /// The span has ended with the head; the stream still belongs to its trace.
    Trace(Context),
    /// The request is not observed.
    Nowhere,
}

impl<B> TracedBody<B> {
    pub(super) fn until_complete(inner: B, span: RequestSpan) -> Self {
        Self {
            inner,
            place: Place::Request(Box::new(span)),
        }
    }

    pub(super) fn within(inner: B, context: Context) -> Self {
        Self {
            inner,
            place: Place::Trace(context),
        }
    }

    pub(super) fn unobserved(inner: B) -> Self {
        Self {
            inner,
            place: Place::Nowhere,
        }
    }
}

impl<B: MessageBody> MessageBody for TracedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.project();
        match this.place {
            Place::Request(span) => {
                let polled = span.enter(|| this.inner.poll_next(cx));
                if matches!(polled, Poll::Ready(None)) {
                    *this.place = Place::Nowhere;
                }
                polled
            }
            Place::Trace(context) => {
                let _current = context.clone().attach();
                this.inner.poll_next(cx)
            }
            Place::Nowhere => this.inner.poll_next(cx),
        }
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { inner, place } = self;
        inner
            .try_into_bytes()
            .map_err(|inner| Self { inner, place })
    }
}
