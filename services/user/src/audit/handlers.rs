//! The route of the audit log.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{Permission, Require};
use lyceum_chassis::http::{ApiError, Query, page};
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::audit::{Action, AuditEntry};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;

use super::listing::Listing;
use super::store;
use crate::entity::audit_entry::Model;
use crate::state::State;

/// May read what happened to accounts.
#[derive(Debug)]
pub(crate) struct ReadAudit;

impl Permission for ReadAudit {
    const ROLES: &'static [Role] = &[Role::Admin];
}

impl From<Model> for AuditEntry {
    fn from(entry: Model) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            action: entry.action,
            actor_id: entry.actor_id,
            subject_id: entry.subject_id,
        }
    }
}

/// Security events, newest first.
#[utoipa::path(
    get, path = "/audit", tag = "audit", security(("access_token" = [])),
    params(
        ("user_id" = Option<UserId>, Query,
            description = "What this person did, and what was done to their account"),
        ("action" = Option<Action>, Query, description = "Events of this kind alone"),
        ("since" = Option<String>, Query, format = DateTime, description = "Nothing older (RFC 3339)"),
        WindowQuery,
    ),
    responses(
        (status = 200, description = "One page", body = Page<AuditEntry>, headers(("Link" = String))),
        (status = 403, description = "The caller is not an admin"),
    ),
)]
pub(crate) async fn list_audit_entries(
    _caller: Require<ReadAudit>,
    Query(listing): Query<Listing>,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    let rows = store::list(&state.database, listing).await?;
    Ok(page(
        &request,
        listing.window,
        rows,
        |entry| entry.id,
        AuditEntry::from,
    ))
}
