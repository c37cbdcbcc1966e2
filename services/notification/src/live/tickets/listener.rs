//! Who opens a stream, and from which page.

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::{Data, Query};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use lyceum_chassis::auth::CurrentUser;
use lyceum_chassis::clock;
use lyceum_chassis::http::ApiError;
use lyceum_contracts::problem::ProblemKind;
use serde::Deserialize;

use super::{domain, store};
use crate::live::origin;
use crate::state::State;

/// A person who may open a stream: by the access token in its header, or else by a ticket in the
/// query. A page of another origin may not, whatever it comes with: 403.
#[derive(Debug)]
pub(crate) struct Listener(pub(crate) CurrentUser);

/// The rest of the query is the handler's.
#[derive(Deserialize)]
struct TicketParameter {
    ticket: Option<String>,
}

impl FromRequest for Listener {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<Data<State>>().cloned() else {
            return Box::pin(async { Err(ApiError::of(ProblemKind::InternalError)) });
        };
        // Before anything is looked up: a foreign page uses no ticket up.
        if !origin::may_listen(request.headers(), &state.allowed_origins) {
            let refused = ApiError::of(ProblemKind::Forbidden)
                .detail("pages of this origin may not listen here");
            return Box::pin(async { Err(refused) });
        }
        let ticket = if request.headers().contains_key(header::AUTHORIZATION) {
            None
        } else {
            Query::<TicketParameter>::from_query(request.query_string())
                .ok()
                .and_then(|query| query.into_inner().ticket)
        };
        let Some(ticket) = ticket else {
            let person = CurrentUser::from_request(request, payload);
            return Box::pin(async move { person.await.map(Self) });
        };
        // A script can leave the header out, a page cannot: its browser names the origin of every
        // WebSocket, and with an EventSource that of every page but our own.
        let is_socket = request.headers().contains_key(header::UPGRADE);
        if is_socket && !request.headers().contains_key(header::ORIGIN) {
            let refused = ApiError::of(ProblemKind::Forbidden)
                .detail("a ticket is for browsers, and those say which page asks");
            return Box::pin(async { Err(refused) });
        }
        Box::pin(async move { by_ticket(&state, &ticket).await.map(Self) })
    }
}

/// One answer for every ticket that does not count: nobody learns by trying.
async fn by_ticket(state: &State, ticket: &str) -> Result<CurrentUser, ApiError> {
    let now = clock::now();
    let person = store::redeem(&state.database, domain::digest(ticket), now).await?;
    person
        .filter(|person| person.expires_at > now && !state.revocations.revokes(person))
        .ok_or_else(|| {
            let challenge = HeaderValue::from_static("Bearer");
            ApiError::of(ProblemKind::Unauthenticated)
                .detail("the ticket was used, is too old, or never was")
                .header(header::WWW_AUTHENTICATE, challenge)
        })
}
