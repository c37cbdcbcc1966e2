//! What may be asked about access tokens.

use std::ops::RangeInclusive;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpResponse, Responder};
use lyceum_chassis::Lifecycle;
use lyceum_chassis::auth::ServiceCaller;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Fields, FromFields, Query, Rule};
use lyceum_contracts::revocation::RevocationPage;

use super::rotation::MAX_AGE;
use crate::state::State;

/// The keys access tokens are verified with (RFC 7517).
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "sessions",
    responses((status = 200, description = "The keys", body = Object,
        headers(("Cache-Control" = String)))),
)]
pub(crate) async fn get_jwks(state: Data<State>) -> HttpResponse {
    let kept = format!("public, max-age={}", MAX_AGE.as_secs());
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, kept))
        .json(state.issuer.public_keys(clock::now()))
}

/// How long a caller may have an answer held back, in milliseconds.
const WAIT_MS: RangeInclusive<u64> = 0..=2_000;

/// What is asked of the list of revocations.
#[derive(Debug)]
pub(crate) struct Since {
    after: i64,
    wait: Duration,
}

/// A number of the query is not one it can be.
#[derive(Debug, thiserror::Error)]
#[error("must be between {} and {}", .0.start(), .0.end())]
struct OutOfRange<T>(RangeInclusive<T>)
where
    T: std::fmt::Debug + std::fmt::Display;

impl<T: std::fmt::Debug + std::fmt::Display> Rule for OutOfRange<T> {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl FromFields for Since {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let after = fields.optional("after", |after: i64| {
            let places = 0..=i64::MAX;
            if places.contains(&after) {
                Ok(after)
            } else {
                Err(OutOfRange(places))
            }
        });
        let wait = fields.optional("wait_ms", |wait: u64| {
            if WAIT_MS.contains(&wait) {
                Ok(Duration::from_millis(wait))
            } else {
                Err(OutOfRange(WAIT_MS))
            }
        });
        Some(Self {
            after: after?.unwrap_or_default(),
            wait: wait?.unwrap_or_default(),
        })
    }
}

/// Whose access tokens were called in before they ended
///
/// A list that grows: ask for what comes after the place that the last answer named. With
/// `wait_ms` an answer that would be empty is held back until there is something to tell.
#[utoipa::path(
    get, path = "/internal/revocations", tag = "internal",
    params(
        ("after" = Option<i64>, Query, minimum = 0, description = "`next` of the last answer; 0 at first"),
        ("wait_ms" = Option<u64>, Query, maximum = 2000, description = "How long to wait for news"),
    ),
    responses(
        (status = 200, description = "What is new; empty when nothing is", body = RevocationPage),
        (status = 401, description = "No service token"),
        (status = 403, description = "A person's token"),
        (status = 422, description = "A number out of range"),
    ),
    security(("service_token" = [])),
)]
pub(crate) async fn list_revocations(
    _: ServiceCaller,
    Query(since): Query<Since>,
    state: Data<State>,
    lifecycle: Data<Lifecycle>,
) -> Result<impl Responder, ApiError> {
    // Nobody waits for a process that is leaving.
    let stopping = lifecycle.stop_token();
    let page = state.revocations.page(since.after, since.wait);
    let page = tokio::select! {
        page = page => page?,
        () = stopping.cancelled() => state.revocations.page(since.after, Duration::ZERO).await?,
    };
    Ok(HttpResponse::Ok().json(page))
}
