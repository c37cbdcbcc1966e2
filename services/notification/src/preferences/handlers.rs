//! What somebody wants letters of, over HTTP.

use actix_web::web::{Data, Json};
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::http::{ApiError, Body};
use lyceum_contracts::preferences::{Preference, Preferences, SetPreferences};
use lyceum_contracts::presence::Visibility;

use super::domain::Topic;
use super::requests::Wishes;
use super::store::{self, Choices};
use crate::presence::store as presence;
use crate::state::State;

/// By which channels I am told of what
#[utoipa::path(
    get,
    path = "/preferences",
    tag = "preferences",
    responses((status = 200, description = "Every type there is", body = Preferences)),
    security(("access_token" = [])),
)]
pub(crate) async fn get_preferences(
    person: CurrentUser,
    state: Data<State>,
) -> Result<Json<Preferences>, ApiError> {
    let mut chosen = store::choices(&state.database, &[person.id]).await?;
    let chosen = chosen.remove(&person.id).unwrap_or_default();
    let presence = presence::visibility(&state.database, person.id).await?;
    Ok(Json(shown(&chosen, presence)))
}

/// Choose by which channels I am told of what
///
/// The whole of it: a type that is not named is as it is for somebody who never chose. Letters
/// about the safety of an account cannot be turned off, and wait for nothing. `presence` alone stays
/// as it is when it is left out.
#[utoipa::path(
    put,
    path = "/preferences",
    tag = "preferences",
    request_body = SetPreferences,
    responses((status = 200, description = "As it is from now on", body = Preferences)),
    security(("access_token" = [])),
)]
pub(crate) async fn put_preferences(
    person: CurrentUser,
    Body(Wishes { choices, presence }): Body<Wishes>,
    state: Data<State>,
) -> Result<Json<Preferences>, ApiError> {
    let transaction = state.database.begin_write().await?;
    store::put(&transaction, person.id, &choices).await?;
    if let Some(presence) = presence {
        presence::set_visibility(&transaction, person.id, presence).await?;
    }
    let presence = presence::visibility(&transaction, person.id).await?;
    transaction.commit().await?;
    Ok(Json(shown(&choices, presence)))
}

fn shown(choices: &Choices, presence: Visibility) -> Preferences {
    let item = |topic: Topic| Preference {
        r#type: topic.as_str().to_owned(),
        inbox: topic.is_in_inbox(),
        mail: !choices.muted.contains(&topic),
        mutable: topic.is_mutable(),
    };
    let rhythm = &choices.rhythm;
    let time = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    Preferences {
        digest: rhythm.digest,
        quiet_from: rhythm.quiet.map(|quiet| time(quiet.from)),
        quiet_until: rhythm.quiet.map(|quiet| time(quiet.until)),
        utc_offset_minutes: rhythm.utc_offset_minutes,
        locale: choices.locale.map(|locale| locale.as_str().to_owned()),
        presence,
        items: Topic::ALL.map(item).to_vec(),
    }
}
