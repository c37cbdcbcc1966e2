//! Everybody there is, for the services of the platform, page by page.

use actix_web::HttpResponse;
use actix_web::web::Data;
use lyceum_chassis::auth::ServiceCaller;
use lyceum_chassis::http::{ApiError, Fields, FromFields, Query, Rule};
use lyceum_contracts::page::{DEFAULT_LIMIT, MAX_LIMIT};
use lyceum_contracts::user::{AccountStatus, Contact, ContactPage};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use utoipa::IntoParams;

use super::{Account, store};
use crate::entity::user::{Column, Entity};
use crate::state::State;

/// Query of `GET /internal/users`.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Onward {
    /// The id after which to go on; 0, or left out, from the beginning.
    #[param(required = false, minimum = 0)]
    after: i64,
    /// People of one page, 1 to 1000; 100 when left out.
    #[param(required = false, minimum = 1, maximum = 1000)]
    limit: u64,
}

#[derive(Debug, thiserror::Error)]
enum OnwardRule {
    #[error("must be an id, or 0")]
    After,
    #[error("must be from 1 to {MAX_LIMIT}")]
    Limit,
}

impl Rule for OnwardRule {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl FromFields for Onward {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let after = fields.optional("after", |after: i64| {
            Some(after)
                .filter(|after| *after >= 0)
                .ok_or(OnwardRule::After)
        });
        let limit = fields.optional("limit", |limit: i64| {
            let limit = u64::try_from(limit).ok();
            limit
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or(OnwardRule::Limit)
        });
        Some(Self {
            after: after?.unwrap_or(0),
            limit: limit?.unwrap_or(DEFAULT_LIMIT),
        })
    }
}

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
    let mut people = active_after(&state.database, onward.after, onward.limit + 1).await?;
    let limit = usize::try_from(onward.limit).unwrap_or(usize::MAX);
    let more = people.len() > limit;
    people.truncate(limit);
    let next_after = people.last().filter(|_| more).map(|person| person.id);
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
