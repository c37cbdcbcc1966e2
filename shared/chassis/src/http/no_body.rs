//! Routes that need no body: none, an empty one and `{}` are all the same.
//!
//! Anything else that a route does not know is refused instead of ignored, so that a caller who
//! sends `{"user_id": 7}` learns that it has no effect.

use std::future::ready;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt, stream};
use serde_json::Map;

use super::{ApiError, Body, Fields, FromFields};

/// The caller sent nothing.
#[derive(Debug)]
pub struct NoBody;

impl FromFields for NoBody {
    fn from_fields(_: &mut Fields) -> Option<Self> {
        Some(Self)
    }
}

impl FromRequest for NoBody {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = OptionalBody::<Self>::from_request(request, payload);
        Box::pin(async move { body.await.map(|OptionalBody(nothing)| nothing) })
    }
}

/// As [`Body`]; a caller who sends nothing has sent `{}`.
#[derive(Debug)]
pub struct OptionalBody<T>(pub T);

impl<T: FromFields + 'static> FromRequest for OptionalBody<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut rest = payload.take();
        Box::pin(async move {
            // An empty body has no media type; what has bytes must be the JSON every body is.
            let Some(first) = first_bytes(&mut rest).await else {
                let nothing = Fields::of_body(Map::new()).read();
                return nothing.map(Self).map_err(ApiError::faults);
            };
            let stream = stream::once(ready(first)).chain(rest).boxed_local();
            let mut payload = Payload::Stream { payload: stream };
            let Body(value) = Body::<T>::from_request(&request, &mut payload).await?;
            Ok(Self(value))
        })
    }
}

async fn first_bytes(payload: &mut Payload) -> Option<Result<Bytes, PayloadError>> {
    loop {
        match payload.next().await {
            Some(Ok(bytes)) if bytes.is_empty() => {}
            first => return first,
        }
    }
}
