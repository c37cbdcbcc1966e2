//! Which pages of other hosts may call the API (Fetch standard, §3.2).
//!
//! Nobody is known by a cookie here, so a page can do no more than whoever has the token it sends.
//! What a browser is told is only that the page may ask, and read the answer.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, web};

/// How long a browser remembers that it may ask: a page of one afternoon asks once in ten minutes.
const REMEMBER_SECONDS: u16 = 600;

/// Origins of pages that may call, such as `https://app.example.org`.
#[derive(Debug)]
pub(super) struct AllowedOrigins(pub(super) Vec<String>);

/// What an answer says to the page that asked.
pub(super) struct Page {
    /// The page's origin, if it may read the answer.
    allowed: Option<HeaderValue>,
    /// Whether answers differ by the page that asks.
    varies: bool,
    is_preflight: bool,
}

impl Page {
    pub(super) fn of(request: &ServiceRequest) -> Self {
        let listed = request.app_data::<web::Data<AllowedOrigins>>();
        let listed = listed.map_or(&[][..], |listed| &listed.0);
        let headers = request.headers();
        let is_listed = |origin: &&HeaderValue| {
            let same = |it: &String| it.as_bytes().eq_ignore_ascii_case(origin.as_bytes());
            listed.iter().any(same)
        };
        Self {
            allowed: headers.get(header::ORIGIN).filter(is_listed).cloned(),
            varies: !listed.is_empty(),
            is_preflight: request.method() == Method::OPTIONS
                && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
        }
    }

    /// The answer to a browser that asks whether its page may ask; no handler hears of it.
    pub(super) fn preflight(&self) -> Option<HttpResponse> {
        let is_asked = self.is_preflight && self.allowed.is_some();
        is_asked.then(|| HttpResponse::new(StatusCode::NO_CONTENT))
    }

    /// Tells the browser.
    pub(super) fn mark(self, headers: &mut HeaderMap) {
        if self.varies {
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        let Some(origin) = self.allowed else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let any = HeaderValue::from_static("*");
        if self.is_preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, any);
            // `*` is every header but this one.
            let all = HeaderValue::from_static("*, authorization");
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, all);
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBER_SECONDS.into());
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, any);
        }
    }
}
