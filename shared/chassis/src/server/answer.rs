//! What every answer has: a request id, security headers, and a problem when it is a failure.

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::ConnectionType;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use lyceum_contracts::header::REQUEST_ID;
use lyceum_contracts::problem::{MEDIA_TYPE, Problem, ProblemKind};
use lyceum_telemetry::context;
use uuid::Uuid;

use super::pages::Page;
use crate::http::ApiError;
use crate::lifecycle::Lifecycle;

/// Longest request id that is echoed; a longer or odd one is replaced.
const MAX_REQUEST_ID: usize = 128;

/// Finishes every answer of a listener; nothing leaves without passing here.
pub(super) async fn finish(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // Taken before the call: routing needs the request to be held by nobody else.
    let context = Context::of(&request);
    if let Some(response) = context.page.preflight() {
        return Ok(request.into_response(context.finish(response)));
    }
    match next.call(request).await {
        Ok(response) => {
            let (request, response) = response.map_into_boxed_body().into_parts();
            Ok(ServiceResponse::new(request, context.finish(response)))
        }
        // A middleware gave up on the request; the error carries the whole answer instead.
        Err(error) => {
            let response = context.finish(HttpResponse::from_error(error));
            Err(InternalError::from_response("answered", response).into())
        }
    }
}

/// What an answer needs to know of its request.
struct Context {
    request_id: HeaderValue,
    path: String,
    lifecycle: Option<web::Data<Lifecycle>>,
    page: Page,
}

impl Context {
    fn of(request: &ServiceRequest) -> Self {
        Self {
            request_id: request_id(request.headers()),
            path: request.path().to_owned(),
            lifecycle: request.app_data::<web::Data<Lifecycle>>().cloned(),
            page: Page::of(request),
        }
    }

    fn finish(self, response: HttpResponse) -> HttpResponse {
        let mut response = as_problem(response, &self.path);
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static(REQUEST_ID), self.request_id);
        if let Some(trace) = context::trace_id().and_then(|id| id.parse().ok()) {
            headers.insert(HeaderName::from_static("x-trace-id"), trace);
        }
        secure(headers, &self.path);
        self.page.mark(headers);
        if self
            .lifecycle
            .is_some_and(|lifecycle| lifecycle.is_stopping())
        {
            // Keep-alive callers move to another connection, and so to another replica.
            response
                .head_mut()
                .set_connection_type(ConnectionType::Close);
        }
        response
    }
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
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // A handler that knows better has said so.
    let usual = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in usual {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
}

/// Gives every failure its problem, the framework's own included.
fn as_problem(response: HttpResponse, path: &str) -> HttpResponse {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let api = response
        .error()
        .and_then(|error| error.as_error::<ApiError>());
    if api.is_none() && is_written(&response) {
        return response;
    }
    if status.is_server_error() {
        log(&response, api);
    }
    let mut problem = api.map_or_else(|| of_status(status), |api| api.problem().clone());
    problem.instance = Some(path.to_owned());
    problem.trace_id = context::trace_id();
    let mut answer = HttpResponse::build(status);
    // The framework's text is replaced; `Allow` and the like stay.
    let replaced =
        |name: &HeaderName| name == header::CONTENT_TYPE || name == header::CONTENT_LENGTH;
    for (name, value) in response
        .headers()
        .iter()
        .filter(|(name, _)| !replaced(name))
    {
        answer.append_header((name.clone(), value.clone()));
    }
    for (name, value) in api.map(ApiError::headers).unwrap_or_default() {
        answer.append_header((name.clone(), value.clone()));
    }
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    answer.content_type(MEDIA_TYPE).body(body)
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
