//! One request, one answer.

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::{Content, html};

/// Ours and nothing else: no inline script or style, no other host, no frame, no form.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TEXT: &str = "text/plain; charset=utf-8";

pub(super) async fn answer(
    request: &Request<Incoming>,
    content: &Content,
) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only to be read\n");
        refusal
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match request.uri().path() {
        "/" => {
            let host = request
                .headers()
                .get(HOST)
                .and_then(|host| host.to_str().ok());
            let (demo, parts) = (demo(content), content.checks.parts().await);
            let page = html::page(host, content.ports, content.admin.as_ref(), &demo, &parts);
            response(StatusCode::OK, "text/html; charset=utf-8", page)
        }
        "/status" => {
            let (demo, parts) = (demo(content), content.checks.parts().await);
            let status = json!({ "demo": demo, "parts": parts });
            response(StatusCode::OK, "application/json", status.to_string())
        }
        "/health" => health(content),
        "/style.css" => ok("text/css; charset=utf-8", include_str!("style.css")),
        "/script.js" => ok("text/javascript; charset=utf-8", include_str!("script.js")),
        "/icon.svg" => ok("image/svg+xml", include_str!("icon.svg")),
        _ => response(StatusCode::NOT_FOUND, TEXT, "there is only /\n"),
    }
}

fn demo(content: &Content) -> String {
    content.readiness.borrow().words()
}

fn health(content: &Content) -> Response<Full<Bytes>> {
    let readiness = content.readiness.borrow();
    let status = if readiness.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    response(status, TEXT, format!("{}\n", readiness.words()))
}

fn ok(kind: &'static str, body: &'static str) -> Response<Full<Bytes>> {
    response(StatusCode::OK, kind, body)
}

fn response(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
