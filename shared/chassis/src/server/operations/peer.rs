//! The `{upstream}` of a route of the operations listener.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use lyceum_client::Upstream;

use super::Operations;
use crate::http::ApiError;

/// One that this service calls. Anything else is a 404 that names those there are.
pub(super) struct Peer(pub(super) Upstream);

impl FromRequest for Peer {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let named = request.match_info().get("upstream").unwrap_or_default();
        let called = request.app_data::<Data<Operations>>();
        let called = called.map(|operations| operations.upstreams.as_slice());
        let called = called.unwrap_or_default();
        let found = called.iter().find(|upstream| upstream.name() == named);
        ready(found.cloned().map(Self).ok_or_else(|| {
            let names: Vec<_> = called.iter().map(Upstream::name).collect();
            none_of("upstream", &names)
        }))
    }
}

/// 404, with the names that would have been found.
pub(super) fn none_of(kind: &str, names: &[impl AsRef<str>]) -> ApiError {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    let names = match names.as_slice() {
        [] => "there is none".to_owned(),
        names => format!("there is {}", names.join(", ")),
    };
    ApiError::not_found().detail(format!("no such {kind}: {names}"))
}
