//! Jaeger's own page and the part of its API that it needs.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::middleware::map_response;
use axum::response::Response;
use otlp_embedded::{StateRef, ui_app};

/// The page at `/`, its assets, and `/api/*`.
pub(super) fn routes(state: StateRef) -> Router {
    ui_app(state, "/").layer(map_response(plain_success))
}

/// The crate sends its page with 307 and no `Location`; browsers cope, `curl -f` and proxies do not.
async fn plain_success(mut response: Response) -> Response {
    let leads_nowhere = !response.headers().contains_key(header::LOCATION);
    if response.status() == StatusCode::TEMPORARY_REDIRECT && leads_nowhere {
        *response.status_mut() = StatusCode::OK;
    }
    response
}
