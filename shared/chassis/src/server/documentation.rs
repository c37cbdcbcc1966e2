//! `/openapi.json`, `/docs` to browse it without the internet, and `/problems/{kind}`.

use actix_web::http::header::{self, ContentType};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use lyceum_contracts::problem::ProblemKind;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::ApiError;

/// The description of one service's API, as it is sent: a document of some hundred kilobytes would be
/// megabytes as the tree it was made of, once per worker.
#[derive(Clone)]
pub(crate) struct Documentation(Bytes);

impl Documentation {
    pub(crate) fn new(description: &OpenApi) -> Self {
        // Names and plain values, which always serialise.
        Self(serde_json::to_vec(description).unwrap_or_default().into())
    }

    pub(super) fn configure(&self, config: &mut ServiceConfig) {
        let description = self.0.clone();
        let describe = move || {
            let description = description.clone();
            async {
                HttpResponse::Ok()
                    .content_type(ContentType::json())
                    .body(description)
            }
        };
        config
            .service(web::resource("/openapi.json").route(web::get().to(describe)))
            .service(web::redirect("/docs", "/docs/"))
            .service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json")))
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
