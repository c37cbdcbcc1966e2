//! OTLP over HTTP, as far as our own exporters speak it: protobuf, uncompressed.
//!
//! Answers follow the OTLP specification 1.x, "OTLP/HTTP response": an empty message on success,
//! 400 when the body cannot be decoded, 415 for another encoding.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use otlp_embedded::proto::collector::trace::v1::ExportTraceServiceRequest;
use otlp_embedded::{StateRef, TraceService, TraceServiceImpl};
use prost::Message;

use super::complete::complete;

/// Bytes of one export; a full batch of 512 spans is well under one megabyte.
const MAX_BODY: usize = 8 << 20;

const PROTOBUF: &str = "application/x-protobuf";

/// `/v1/traces` keeps what it is sent, `/v1/metrics` does not.
pub(super) fn routes(state: StateRef) -> Router {
    Router::new()
        .route("/v1/traces", post(receive_traces))
        .route("/v1/metrics", post(drop_metrics))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(state)
}

async fn receive_traces(
    State(state): State<StateRef>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_plain_protobuf(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(mut export) = ExportTraceServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    complete(&mut export);
    match TraceServiceImpl::new(state)
        .export(tonic::Request::new(export))
        .await
    {
        Ok(_) => accepted(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Accepted so that an exporter has nothing to complain of.
async fn drop_metrics() -> Response {
    accepted()
}

fn accepted() -> Response {
    ([(header::CONTENT_TYPE, PROTOBUF)], Bytes::new()).into_response()
}

fn is_plain_protobuf(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    !headers.contains_key(header::CONTENT_ENCODING)
        && content_type.is_some_and(|value| value.as_bytes() == PROTOBUF.as_bytes())
}
