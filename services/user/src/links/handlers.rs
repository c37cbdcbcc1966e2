//! The route by which the sender of the mail gets what a letter needs.

use actix_web::HttpResponse;
use actix_web::web::Data;
use lyceum_chassis::auth::ServiceCaller;
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Id, NoBody};
use lyceum_contracts::ids::LinkId;
use lyceum_contracts::mailed_link::MailedLinkToken;
use lyceum_contracts::problem::ProblemKind;

use super::commands;
use crate::state::State;

/// The service that writes letters. What it is given opens accounts, so no other one is.
const MAIL_SENDER: &str = "notification";

/// Makes the token of a letter that is being written.
///
/// Each call makes another one that counts beside those before it; the link is spent by whichever
/// is followed first. A 404 or a 410 means that no letter is to be written any more.
#[utoipa::path(
    post, path = "/internal/mailed-links/{id}/token", tag = "internal",
    security(("service_token" = [])), params(("id" = LinkId, Path)),
    responses(
        (status = 200, description = "Where the letter goes, and the token in it", body = MailedLinkToken),
        (status = 403, description = "The caller is not the service that sends mail"),
        (status = 404, description = "There is no such link"),
        (status = 410, description = "The link no longer counts, and needs no letter"),
    ),
)]
pub(crate) async fn create_mailed_link_token(
    caller: ServiceCaller,
    Id(id): Id<LinkId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<HttpResponse, ApiError> {
    if caller.name.as_str() != MAIL_SENDER {
        tracing::warn!(
            event = "auth.forbidden",
            service = caller.name.as_str(),
            "only the sender of mail gets the tokens of letters"
        );
        return Err(ApiError::of(ProblemKind::Forbidden));
    }
    let letter = commands::write_letter(&state.database, id, clock::now()).await?;
    Ok(HttpResponse::Ok().json(letter))
}
