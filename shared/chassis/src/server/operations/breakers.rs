//! `/debug/breakers`: where each breaker is, and how an operator takes the decision from one.
//!
//! Allowed in production: it is how a peer that harms is taken out.

use std::fmt;

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Path};
use lyceum_client::{BreakerReport, Upstream};
use lyceum_resilience::breaker::Mode;

use super::Operations;
use super::peer::{Peer, none_of};
use crate::http::{ApiError, Body, BodyLimit, Fields, FromFields, NoBody, Rule};

/// One word has no need of more, in bytes.
pub(super) const BODY_LIMIT: BodyLimit = BodyLimit(1024);

/// The modes by their names.
const MODES: [(&str, Mode); 4] = [
    ("automatic", Mode::Automatic),
    ("forced_open", Mode::ForcedOpen),
    ("forced_closed", Mode::ForcedClosed),
    ("shadow", Mode::Shadow),
];

/// `GET /debug/breakers`
pub(super) async fn list_breakers(operations: Data<Operations>) -> Json<Vec<BreakerReport>> {
    let upstreams = operations.upstreams.iter();
    Json(upstreams.flat_map(Upstream::breakers).collect())
}

/// `PUT /debug/breakers/{upstream}/{endpoint}`: who decides from now on, and where it is.
pub(super) async fn set_mode(
    Peer(upstream): Peer,
    place: Path<(String, String)>,
    Body(NewMode(mode)): Body<NewMode>,
) -> Result<Json<BreakerReport>, ApiError> {
    put(&upstream, &place.1, mode).map(Json)
}

/// `DELETE /debug/breakers/{upstream}/{endpoint}`: the breaker decides again, if it did not. 204.
pub(super) async fn release(
    Peer(upstream): Peer,
    place: Path<(String, String)>,
    _: NoBody,
) -> Result<HttpResponse, ApiError> {
    put(&upstream, &place.1, Mode::Automatic)?;
    Ok(HttpResponse::NoContent().finish())
}

fn put(upstream: &Upstream, endpoint: &str, mode: Mode) -> Result<BreakerReport, ApiError> {
    let found = upstream.set_mode(endpoint, mode);
    let mut breakers = upstream.breakers();
    let Some(index) = breakers
        .iter()
        .position(|report| found && report.endpoint == endpoint)
    else {
        let names: Vec<_> = breakers.iter().map(|report| &report.endpoint).collect();
        return Err(none_of("endpoint", &names));
    };
    let named = MODES.iter().find(|(_, known)| *known == mode);
    tracing::info!(
        event = "breaker.mode_set",
        upstream = upstream.name(),
        endpoint,
        mode = named.map(|(name, _)| name),
        "an operator has said who decides"
    );
    Ok(breakers.swap_remove(index))
}

/// The body that says who decides.
#[derive(Debug)]
pub(super) struct NewMode(Mode);

#[derive(Debug)]
struct NoMode;

impl fmt::Display for NoMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = MODES.map(|(name, _)| name).join(", ");
        write!(f, "must be one of {names}")
    }
}

impl Rule for NoMode {
    fn code(&self) -> &'static str {
        "unknown_mode"
    }
}

impl FromFields for NewMode {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let mode = fields.required("mode", |text: String| {
            let known = MODES.iter().find(|(name, _)| *name == text);
            known.map(|(_, mode)| *mode).ok_or(NoMode)
        });
        mode.map(Self)
    }
}
