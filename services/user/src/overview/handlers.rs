//! The route of the overview.

use actix_web::http::header::AGE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::http::{ApiError, Id, Query};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::Overview;

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
    ),
    responses(
        (status = 200, description = "The overview, whole or degraded", body = Overview),
        (status = 404, description = "There is no such account, or it is somebody else's"),
    ),
)]
pub(crate) async fn get_overview(
    caller: CurrentUser,
    Id(id): Id<UserId>,
    Query(wish): Query<Wish>,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    if !caller.is_or_administers(id) {
        return Err(ApiError::not_found());
    }
    let Gathered { overview, age } = gather(&state, id, wish.freshness(&request)).await?;
    let mut answer = HttpResponse::Ok();
    if !age.is_zero() {
        // RFC 9111 §5.1: whole seconds.
        answer.insert_header((AGE, age.as_secs()));
    }
    Ok(answer.json(overview))
}
