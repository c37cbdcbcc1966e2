//! The route of the overview.

use actix_web::http::header::AGE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::http::{ApiError, Id, IfNoneMatch, Query};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::Overview;
use sha2::{Digest, Sha256};

use super::gather::{Gathered, gather};
use super::query::Wish;
use crate::state::State;

/// Everything about one person. Parts that cannot be had are empty and named in `degraded`.
#[utoipa::path(
    get, path = "/users/{id}/overview", tag = "overview", security(("access_token" = [])),
    params(
        ("id" = UserId, Path),
        ("fresh" = Option<bool>, Query,
            description = "Ask the peers for every part, as `Cache-Control: no-cache` does"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag last seen"),
    ),
    responses(
        (status = 200, description = "The overview, whole or degraded", body = Overview,
            headers(("ETag" = String), ("Age" = u64))),
        (status = 304, description = "It is as the caller has seen it"),
        (status = 404, description = "There is no such account, or it is somebody else's"),
    ),
)]
pub(crate) async fn get_overview(
    caller: CurrentUser,
    Id(id): Id<UserId>,
    Query(wish): Query<Wish>,
    seen: IfNoneMatch,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    if !caller.is_or_administers(id) {
        return Err(ApiError::not_found());
    }
    let Gathered { overview, age } = gather(&state, id, wish.freshness(&request)).await?;
    let mut answer = seen.answer(&tag(&overview), &overview);
    if !age.is_zero() {
        // RFC 9111 §5.1: whole seconds.
        answer.headers_mut().insert(AGE, age.as_secs().into());
    }
    Ok(answer)
}

/// Of the content: a strong one (RFC 9110 §8.8.1), since equal overviews are equal bytes.
fn tag(overview: &Overview) -> String {
    // Contract types are plain structs, which always serialise.
    let content = serde_json::to_vec(overview).unwrap_or_default();
    let digest = Sha256::digest(content);
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..16]))
}
