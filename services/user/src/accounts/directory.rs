//! Everybody there is, for the services of the platform, page by page.

use actix_web::HttpResponse;
use actix_web::web::Data;
use lyceum_chassis::auth::ServiceCaller;
use lyceum_chassis::http::{ApiError, Onward, Query};
use lyceum_contracts::user::{AccountStatus, Contact, ContactPage};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use super::{Account, store};
use crate::entity::user::{Column, Entity};
use crate::state::State;

/// Everybody who may sign in and how they are reached, by id.
#[utoipa::path(
    get, path = "/internal/users", tag = "internal", security(("service_token" = [])),
    params(Onward),
    responses(
        (status = 200, description = "One page", body = ContactPage),
        (status = 403, description = "The caller is not a service"),
    ),
)]
pub(crate) async fn list_contacts(
    _caller: ServiceCaller,
    Query(onward): Query<Onward>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let people = active_after(&state.database, onward.after, onward.rows()).await?;
    let (people, next_after) = onward.cut(people, |person| person.id);
    let items = people.into_iter().map(Contact::from).collect();
    Ok(HttpResponse::Ok().json(ContactPage { items, next_after }))
}

async fn active_after(
    db: &impl ConnectionTrait,
    after: i64,
    limit: u64,
) -> Result<Vec<Account>, DbErr> {
    let active = Entity::find()
        .filter(Column::Status.eq(AccountStatus::Active))
        .filter(Column::Id.gt(after));
    store::show_all(db, active.order_by_asc(Column::Id).limit(limit)).await
}
