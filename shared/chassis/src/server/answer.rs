//! What every answer has: a request id, security headers, and a problem when it is a failure.

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse, web};
use lyceum_contracts::header::REQUEST_ID;
use lyceum_contracts::problem::{MEDIA_TYPE, Problem, ProblemKind};
use lyceum_telemetry::context;
use uuid::Uuid;

use crate::http::ApiError;
use crate::lifecycle::Lifecycle;

/// Longest request id that is echoed; a longer or odd one is replaced.
const MAX_REQUEST_ID: usize = 128;

/// Finishes every answer of a listener; nothing leaves without passing here.
pub(super) async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(request.headers());
    let context = request.request().clone();
    let response = match next.call(request).await {
        Ok(response) => response.map_into_boxed_body(),
        Err(error) => ServiceResponse::from_err(error, context),
    };
    let mut response = as_problem(response);
    let draining = is_draining(response.request());
    let path = response.request().path().to_owned();
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static(REQUEST_ID), id);
    if let Some(trace) = context::trace_id().and_then(|id| id.parse().ok()) {
        headers.insert(HeaderName::from_static("x-trace-id"), trace);
    }
    secure(headers, &path);
    if draining {
        // Keep-alive callers move to another connection, and so to another replica.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

fn is_draining(request: &HttpRequest) -> bool {
    request
        .app_data::<web::Data<Lifecycle>>()
        .is_some_and(|lifecycle| lifecycle.is_stopping())
}

/// The caller's id when it is short and plain, a new one otherwise.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match headers.get(REQUEST_ID) {
        Some(id) if (1..=MAX_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(plain) => {
            id.clone()
        }
        _ => HeaderValue::from_str(&Uuid::now_v7().to_string())
            .unwrap_or_else(|_| HeaderValue::from_static("unknown")),
    }
}

/// ASVS 5 §4.1.1 and the secure-headers list; the browsable documentation needs its own scripts.
fn secure(headers: &mut HeaderMap, path: &str) {
    let policy = if path.starts_with("/docs") {
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
         img-src 'self' data:; frame-ancestors 'none'"
    } else {
        "default-src 'none'; frame-ancestors 'none'"
    };
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A handler that knows better has said so.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Gives every failure its problem, the framework's own included.
fn as_problem(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let api = response
        .response()
        .error()
        .and_then(|error| error.as_error::<ApiError>());
    let (mut problem, headers) = match api {
        Some(api) => (api.problem().clone(), api.headers().to_vec()),
        None if status.is_client_error() || status.is_server_error() => {
            if is_written(response.response()) {
                return response;
            }
            (of_status(status), Vec::new())
        }
        None => return response,
    };
    if status.is_server_error() {
        log(response.response(), api);
    }
    problem.instance = Some(response.request().path().to_owned());
    problem.trace_id = context::trace_id();
    let (request, bare) = response.into_parts();
    let mut answer = HttpResponse::build(bare.status());
    for (name, value) in bare
        .headers()
        .iter()
        .chain(headers.iter().map(|(name, value)| (name, value)))
    {
        // The framework's text is replaced; `Allow` and the like stay.
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            answer.insert_header((name.clone(), value.clone()));
        }
    }
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    ServiceResponse::new(request, answer.content_type(MEDIA_TYPE).body(body))
}

/// A failure whose body a handler wrote itself, such as a readiness report.
fn is_written(response: &HttpResponse) -> bool {
    let json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/"));
    json && !matches!(response.body().size(), BodySize::None | BodySize::Sized(0))
}

/// The problem of a failure the framework made.
fn of_status(status: StatusCode) -> Problem {
    let same = |kind: &&ProblemKind| kind.status() == status.as_u16();
    let kind = ProblemKind::ALL.iter().find(same).copied();
    match kind {
        Some(kind) => kind.problem(),
        None if status.is_server_error() => ProblemKind::InternalError.problem(),
        None => ProblemKind::MalformedRequest.problem(),
    }
}

/// The one line an operator reads of a failure of ours.
fn log(response: &HttpResponse, api: Option<&ApiError>) {
    let status = response.status().as_u16();
    let cause = match (api.and_then(ApiError::log_cause), response.error()) {
        (Some(cause), _) => format!("{cause:#}"),
        (None, Some(error)) => error.to_string(),
        (None, None) => "unknown".to_owned(),
    };
    if status == 500 {
        tracing::error!(event = "http.failed", status, cause, "a request failed");
    } else {
        tracing::warn!(
            event = "http.degraded",
            status,
            cause,
            "a request could not be served"
        );
    }
}
