//! The live page: a person signs in and watches notifications arrive over either transport.
//!
//! For development alone; production answers `/` as it does any path there is not. The page is a
//! client like any other: it knows no more than the API tells whoever holds the token.

mod settings;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::web::{self, ServiceConfig};

pub use settings::PageSettings;

const HTML: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// What is served.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    html: String,
    policy: String,
}

impl Page {
    pub(crate) fn new(settings: &PageSettings) -> Self {
        let user_url = &settings.user_url;
        Self {
            // An origin, by its check: it holds no quote and no angle bracket.
            html: HTML.replace("{{user_url}}", user_url),
            // Ours and nothing else, but for who signs people in; and no text becomes markup.
            policy: format!(
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
                 connect-src 'self' {user_url}; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
            ),
        }
    }

    /// `GET /`, and what the page needs.
    pub(crate) fn configure(&self, config: &mut ServiceConfig) {
        let page = self.clone();
        let show = move || {
            let answer = answer("text/html; charset=utf-8", page.html.clone(), &page.policy);
            async { answer }
        };
        config.service(web::resource("/").route(web::get().to(show)));
        for (path, kind, text) in [
            ("/live.js", "text/javascript; charset=utf-8", SCRIPT),
            ("/live.css", "text/css; charset=utf-8", STYLE),
        ] {
            let show = move || async move { answer(kind, text, "default-src 'none'") };
            config.service(web::resource(path).route(web::get().to(show)));
        }
    }
}

fn answer(kind: &'static str, text: impl Into<String>, policy: &str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(text.into())
}
