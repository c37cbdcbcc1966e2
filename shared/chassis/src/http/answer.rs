//! An answer as plain data: it can be kept in a row and given again.
//!
//! Commands that may be repeated end in one; any other handler answers as it likes.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;

/// Marks an answer that was given before (Stripe's name for it).
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A success with a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: StatusCode,
    location: Option<String>,
    etag: Option<String>,
    body: String,
    replayed: bool,
}

impl Answer {
    /// 200.
    pub fn ok(body: &impl Serialize) -> Self {
        Self {
            status: StatusCode::OK,
            location: None,
            etag: None,
            // Contract types are plain structs, which always serialise.
            body: serde_json::to_string(body).unwrap_or_default(),
            replayed: false,
        }
    }

    /// 201, and where to find it.
    pub fn created(location: impl Into<String>, body: &impl Serialize) -> Self {
        Self {
            status: StatusCode::CREATED,
            location: Some(location.into()),
            ..Self::ok(body)
        }
    }

    /// 202, and where to ask how far it is.
    pub fn accepted(location: impl Into<String>, body: &impl Serialize) -> Self {
        Self {
            status: StatusCode::ACCEPTED,
            location: Some(location.into()),
            ..Self::ok(body)
        }
    }

    /// 201 for many things at once, which have no place of their own together.
    pub fn created_all(body: &impl Serialize) -> Self {
        Self {
            status: StatusCode::CREATED,
            ..Self::ok(body)
        }
    }

    /// 207: the body says of each item how it went.
    pub fn multi_status(body: &impl Serialize) -> Self {
        Self {
            status: StatusCode::MULTI_STATUS,
            ..Self::ok(body)
        }
    }

    /// Adds the `ETag` of a version.
    #[must_use]
    pub fn version(mut self, version: i64) -> Self {
        self.etag = Some(super::etag(version).1);
        self
    }

    /// An answer as it was kept; `None` when it never was one.
    pub(crate) fn kept(
        status: u16,
        location: Option<String>,
        etag: Option<String>,
        body: String,
    ) -> Option<Self> {
        Some(Self {
            status: StatusCode::from_u16(status).ok()?,
            location,
            etag,
            body,
            replayed: false,
        })
    }

    /// The same, marked as given before.
    pub(crate) fn again(self) -> Self {
        Self {
            replayed: true,
            ..self
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    pub(crate) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    pub(crate) fn body(&self) -> &str {
        &self.body
    }
}

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if let Some(location) = self.location {
            response.insert_header((header::LOCATION, location));
        }
        if let Some(etag) = self.etag {
            response.insert_header((header::ETAG, etag));
        }
        if self.replayed {
            response.insert_header((REPLAYED, HeaderValue::from_static("true")));
        }
        response
            .content_type(mime::APPLICATION_JSON)
            .body(self.body)
    }
}
