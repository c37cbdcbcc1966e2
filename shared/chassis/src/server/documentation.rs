//! `/openapi.json`, `/docs` to browse it without the internet, and `/problems/{kind}`.

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use lyceum_contracts::problem::ProblemKind;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use crate::http::ApiError;

/// The description of one service's API.
#[derive(Clone)]
pub(super) struct Documentation(OpenApi);

impl Documentation {
    pub(super) fn new(description: OpenApi) -> Self {
        Self(description)
    }

    pub(super) fn configure(&self, config: &mut ServiceConfig) {
        config
            .service(web::redirect("/docs", "/docs/"))
            .service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", self.0.clone()))
            .service(web::resource("/problems/{kind}").route(web::get().to(explain)));
    }
}

/// What a problem's `type` resolves to.
async fn explain(kind: web::Path<String>) -> Result<impl Responder, ApiError> {
    let kind = ProblemKind::ALL
        .iter()
        .find(|known| known.slug() == kind.as_str())
        .ok_or_else(ApiError::not_found)?;
    let text = format!(
        "{} ({})\n\n{}\n",
        kind.title(),
        kind.status(),
        kind.explanation()
    );
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "max-age=86400"))
        .content_type("text/plain; charset=utf-8")
        .body(text))
}
