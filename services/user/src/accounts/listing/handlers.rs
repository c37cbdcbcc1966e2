//! The routes of the listing.

use actix_web::http::header::{ContentDisposition, DispositionParam, DispositionType};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{Permission, Require};
use lyceum_chassis::http::{ApiError, Query, SortField, page_of};
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;
use lyceum_contracts::schema;
use lyceum_contracts::user::{AccountStatus, AdminUser};
use utoipa::IntoParams;
use utoipa::openapi::ObjectBuilder;

use super::{Filter, Listing, SortBy, export};
use crate::accounts::store;
use crate::state::State;

/// May see every account.
#[derive(Debug)]
pub(crate) struct ListUsers;

impl Permission for ListUsers {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// May take every account away.
#[derive(Debug)]
pub(crate) struct ExportUsers;

impl Permission for ExportUsers {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// Which accounts are meant, as [`Filter`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the description of the API reads the fields")]
struct FilterQuery {
    /// Accounts whose address or name begins so, in whatever case; nothing in it is a wildcard
    #[param(schema_with = schema::search)]
    q: Option<String>,
    /// Accounts with this role
    role: Option<Role>,
    /// Accounts of this status
    #[param(schema_with = listed_status)]
    status: Option<AccountStatus>,
}

/// A deleted account is nobody's any more.
fn listed_status() -> ObjectBuilder {
    use AccountStatus::{Active, Disabled, Invited};
    schema::word([Active, Invited, Disabled].map(AccountStatus::as_str))
}

/// How accounts are sorted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the description of the API reads the fields")]
struct SortQuery {
    /// By what, `id` unless it says otherwise; `-` before it for the other way round
    #[param(schema_with = orders)]
    sort: Option<String>,
}

fn orders() -> ObjectBuilder {
    let names = SortBy::FIELDS.iter().map(|(name, _)| name);
    schema::word(names.flat_map(|name| [(*name).to_owned(), format!("-{name}")]))
}

/// Accounts by the page; a `cursor` works with every filter and order and is good for its own.
#[utoipa::path(
    get, path = "/users", tag = "accounts", security(("access_token" = [])),
    params(
        FilterQuery,
        SortQuery,
        ("include_total" = Option<bool>, Query, description = "Count the accounts on all pages"),
        WindowQuery,
    ),
    responses(
        (status = 200, description = "One page", body = Page<AdminUser>, headers(("Link" = String))),
        (status = 403, description = "The caller is not an admin"),
    ),
)]
pub(crate) async fn list_users(
    _caller: Require<ListUsers>,
    Query(listing): Query<Listing>,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let rows = store::list(&state.database, &listing).await?;
    let total = if listing.include_total {
        Some(store::count(&state.database, &listing.filter).await?)
    } else {
        None
    };
    let (by, window) = (listing.part.sort.by, listing.part.window);
    let position = |user: &_| by.position(user);
    Ok(page_of(
        total,
        &request,
        window,
        rows,
        position,
        AdminUser::from,
    ))
}

/// All accounts that match, by id: one JSON object per line.
///
/// An answer that breaks off is not whole: the last line comes before the end of the body and never
/// without it.
#[utoipa::path(
    get, path = "/users/export", tag = "accounts", security(("access_token" = [])),
    params(FilterQuery),
    responses(
        (status = 200, description = "One account per line", body = AdminUser, content_type = "application/x-ndjson"),
        (status = 403, description = "The caller is not an admin"),
    ),
)]
pub(crate) async fn export_users(
    caller: Require<ExportUsers>,
    Query(filter): Query<Filter>,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let lines = export::lines(state.database.clone(), filter, caller.id).await?;
    let saved_as = ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::Filename("users.ndjson".to_owned())],
    };
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header(saved_as)
        .streaming(lines))
}
