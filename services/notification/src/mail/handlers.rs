//! Letters over HTTP, for admins: what became of them, once more, no more, and how they look.

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use lyceum_chassis::auth::{Permission, Require};
use lyceum_chassis::clock;
use lyceum_chassis::http::{ApiError, Fields, FromFields, Id, NoBody, Query, page};
use lyceum_chassis::openapi::WindowQuery;
use lyceum_contracts::delivery::{Delivery, DeliveryState, LetterPreview};
use lyceum_contracts::ids::DeliveryId;
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;

use super::commands;
use super::letter::Content;
use super::listing::Listing;
use super::locale::Locale;
use super::store;
use super::templates::{self, Reader};
use crate::state::State;

/// May see what became of letters, and decide about them.
#[derive(Debug)]
pub(crate) struct ManageDeliveries;

impl Permission for ManageDeliveries {
    const ROLES: &'static [Role] = &[Role::Admin];
}

/// Letters, newest first
#[utoipa::path(
    get,
    path = "/deliveries",
    tag = "mail",
    params(
        ("state" = Option<DeliveryState>, Query, description = "Those in this state alone; `dead` are the dead letters"),
        WindowQuery,
    ),
    responses(
        (status = 200, description = "One page", body = Page<Delivery>),
        (status = 403, description = "The caller is not an admin"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn list_deliveries(
    _admin: Require<ManageDeliveries>,
    Query(listing): Query<Listing>,
    state: Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let rows = store::list(&state.database, listing).await?;
    Ok(page(
        &request,
        listing.window,
        rows,
        |row| row.id.get(),
        Delivery::from,
    ))
}

/// Try a letter again at once, with all its attempts before it
#[utoipa::path(
    post,
    path = "/deliveries/{id}/retry",
    tag = "mail",
    params(("id" = DeliveryId, Path)),
    responses(
        (status = 200, description = "It is queued, under the `Message-ID` it had", body = Delivery),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is none, or it is forgotten"),
        (status = 409, description = "It is being sent, or has been"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn retry_delivery(
    _admin: Require<ManageDeliveries>,
    Id(id): Id<DeliveryId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<Json<Delivery>, ApiError> {
    let mail = commands::retry(&state.database, &state.mails, id, clock::now()).await?;
    Ok(Json(mail.into()))
}

/// Give a letter up that waits or is dead
#[utoipa::path(
    post,
    path = "/deliveries/{id}/cancel",
    tag = "mail",
    params(("id" = DeliveryId, Path)),
    responses(
        (status = 200, description = "It is cancelled", body = Delivery),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is none, or it is forgotten"),
        (status = 409, description = "It is being sent, or has been, or is cancelled"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn cancel_delivery(
    _admin: Require<ManageDeliveries>,
    Id(id): Id<DeliveryId>,
    NoBody: NoBody,
    state: Data<State>,
) -> Result<Json<Delivery>, ApiError> {
    let mail = commands::cancel(&state.database, id, clock::now()).await?;
    Ok(Json(mail.into()))
}

/// The query of a preview.
#[derive(Debug)]
pub(crate) struct PreviewQuery {
    locale: Locale,
}

impl FromFields for PreviewQuery {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let nearest = |name: String| Ok::<_, std::convert::Infallible>(Locale::nearest(&name));
        let locale = fields.optional("locale", nearest)?;
        Some(Self {
            locale: locale.unwrap_or_default(),
        })
    }
}

/// How a letter looks, about somebody and something made up
#[utoipa::path(
    get,
    path = "/mail/templates/{name}/preview",
    tag = "mail",
    params(
        ("name" = String, Path, description = "Such as `welcome`"),
        ("locale" = Option<String>, Query, description = "Such as `de`; English stands in for a language there are no templates in"),
    ),
    responses(
        (status = 200, description = "The letter", body = LetterPreview),
        (status = 403, description = "The caller is not an admin"),
        (status = 404, description = "There is no such template"),
    ),
    security(("access_token" = [])),
)]
pub(crate) async fn preview_template(
    _admin: Require<ManageDeliveries>,
    name: Path<String>,
    Query(query): Query<PreviewQuery>,
    state: Data<State>,
) -> Result<Json<LetterPreview>, ApiError> {
    let reader = Reader {
        name: "Ada Lovelace",
        locale: query.locale,
    };
    let urls = state.mails.urls();
    let mut samples: Vec<Content> = Content::samples().into_iter().flatten().collect();
    if name.as_str() == templates::DIGEST {
        samples.retain(|content| content.topic().is_mutable());
    } else {
        samples.retain(|content| content.template() == name.as_str());
    }
    let letter = match samples.as_slice() {
        [] => return Err(ApiError::not_found()),
        [content] => {
            let links = urls.sample(content, clock::now());
            templates::write(content, reader, &links)
        }
        [first, more @ ..] => {
            let letters = samples
                .iter()
                .map(|content| (content, urls.action(content)));
            let links = urls.plain(first, more, Some("0"));
            templates::gather(&letters.collect::<Vec<_>>(), reader, &links)
        }
    };
    Ok(Json(letter.map_err(ApiError::internal)?))
}
