//! Whether an overview may be put together from what was heard before.

use std::convert::Infallible;

use actix_web::HttpRequest;
use actix_web::http::header::CACHE_CONTROL;
use lyceum_chassis::http::{Fields, FromFields};
use lyceum_client::Freshness;

/// The query of `GET /users/{id}/overview`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    fresh: bool,
}

impl FromFields for Wish {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let fresh = fields.optional("fresh", Ok::<bool, Infallible>)?;
        Some(Self {
            fresh: fresh.unwrap_or(false),
        })
    }
}

impl Wish {
    /// What the caller wants, by the query or as a browser's reload says it (RFC 9111 §5.2.1.4).
    pub(super) fn freshness(self, request: &HttpRequest) -> Freshness {
        let directives = request.headers().get_all(CACHE_CONTROL);
        let no_cache = directives
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"));
        if self.fresh || no_cache {
            Freshness::Anew
        } else {
            Freshness::Kept
        }
    }
}
