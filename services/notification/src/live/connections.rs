//! `GET /connections`: what an admin sees of the streams of this replica.

use actix_web::web::{Data, Json};
use lyceum_chassis::auth::{Permission, Require};
use lyceum_chassis::http::{ApiError, Fields, FromFields, Query, Rule};
use lyceum_contracts::live::Connections;
use lyceum_contracts::page::{DEFAULT_LIMIT, MAX_LIMIT};
use lyceum_contracts::role::Role;

use crate::state::State;

/// May see who listens.
#[derive(Debug)]
pub(crate) struct WatchConnections;

impl Permission for WatchConnections {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// How many streams are told one by one.
#[derive(Debug)]
pub(crate) struct Few(usize);

#[derive(Debug, thiserror::Error)]
#[error("must be from 1 to {MAX_LIMIT}")]
struct LimitRule;

impl Rule for LimitRule {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl FromFields for Few {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let limit = fields.optional("limit", |limit: i64| {
            let limit = u64::try_from(limit).ok();
            limit
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or(LimitRule)
        });
        let limit = limit?.unwrap_or(DEFAULT_LIMIT);
        usize::try_from(limit).ok().map(Self)
    }
}

/// The streams that are open on this replica
///
/// Each replica answers for itself, since it started. What waits for a stream is written and not
/// sent yet; a stream for which much waits has a client that does not keep up.
#[utoipa::path(
    get,
    path = "/connections",
    tag = "live",
    params(
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 1000,
            description = "The most streams that are told one by one; 100 unless it is said"),
    ),
    responses(
        (status = 200, description = "Counts, and the streams that are furthest behind", body = Connections),
        (status = 403, description = "The caller is not an admin"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn get_connections(
    _admin: Require<WatchConnections>,
    Query(Few(limit)): Query<Few>,
    state: Data<State>,
) -> Result<Json<Connections>, ApiError> {
    Ok(Json(state.hub.connections(limit)))
}
