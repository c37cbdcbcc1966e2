//! Who is there, over HTTP.

use actix_web::web::{Data, Json};
use lyceum_chassis::auth::{CurrentUser, Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Query};
use lyceum_contracts::presence::{OnlineCount, PresenceList};
use lyceum_contracts::role::Role;

use super::domain::{Traces, presence};
use super::requests::Asked;
use super::store;
use crate::state::State;

/// May know how many people are there.
#[derive(Debug)]
pub(crate) struct CountPeople;

impl Permission for CountPeople {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// Whether people are there, or when they were last
///
/// Somebody is there while a live stream of theirs is open, and some seconds longer. Who has chosen
/// to be hidden is seen by themself and by admins alone: to others they were never there, as
/// nobody was whose id is none.
#[utoipa::path(
    get,
    path = "/presence",
    tag = "presence",
    params(("user_ids" = String, Query, pattern = "^[1-9][0-9]{0,17}(,[1-9][0-9]{0,17}){0,99}$",
        description = "1 to 100 ids, with commas between them")),
    responses((status = 200, description = "Each of them, by id", body = PresenceList)),
    security(("access_token" = [])),
)]
pub(crate) async fn list_presence(
    person: CurrentUser,
    Query(Asked(ids)): Query<Asked>,
    state: Data<State>,
) -> Result<Json<PresenceList>, ApiError> {
    let known = store::traces(&state.database, &ids).await?;
    let (now, nothing) = (clock::now(), Traces::default());
    let items = ids.into_iter().map(|id| {
        let traces = known.get(&id).unwrap_or(&nothing);
        presence(id, traces, person.is_or_administers(id), now)
    });
    let items = items.collect();
    Ok(Json(PresenceList { items }))
}

/// How many people are there
#[utoipa::path(
    get,
    path = "/presence/count",
    tag = "presence",
    responses(
        (status = 200, description = "Those who are hidden included", body = OnlineCount),
        (status = 403, description = "The caller is not an admin"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn count_online(
    _admin: Require<CountPeople>,
    state: Data<State>,
) -> Result<Json<OnlineCount>, ApiError> {
    let online = store::count(&state.database, clock::now()).await?;
    Ok(Json(OnlineCount { online }))
}
