//! `/debug/faults`: lets this service's attempts at a peer fail on purpose, and stops it.
//!
//! What a fault is and does is `lyceum-client`'s; here it is only asked for. Where people depend
//! on the service there is nothing to ask.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::{Data, Json};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use lyceum_client::Upstream;
use lyceum_client::faults::{Fault, FaultInjection, FaultOrder, FaultReport, LONGEST_MS};
use lyceum_contracts::problem::ProblemKind;

use super::Operations;
use super::peer::Peer;
use crate::http::{ApiError, Body, BodyLimit, Fields, FromFields, NoBody};

/// Seven fields have no need of more, in bytes.
pub(super) const BODY_LIMIT: BodyLimit = BodyLimit(4 * 1024);

/// `GET /debug/faults`
pub(super) async fn list_faults(operations: Data<Operations>) -> Json<Vec<FaultReport>> {
    Json(operations.upstreams.iter().map(Upstream::fault).collect())
}

/// `PUT /debug/faults/{upstream}`: sets a fault, in the place of the one before.
pub(super) async fn set_fault(
    _: MayFail,
    Peer(upstream): Peer,
    Body(NewFault(fault)): Body<NewFault>,
) -> Json<FaultReport> {
    Json(upstream.inject(fault))
}

/// `DELETE /debug/faults/{upstream}`: 204, whether or not there was one.
pub(super) async fn remove_fault(Peer(upstream): Peer, _: NoBody) -> HttpResponse {
    upstream.heal();
    HttpResponse::NoContent().finish()
}

/// This process may fail on purpose. In production it may not: 403.
pub(super) struct MayFail;

impl FromRequest for MayFail {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let environment = request
            .app_data::<Data<Operations>>()
            .map(|operations| operations.settings.environment.into());
        ready(match environment {
            Some(FaultInjection::Allowed) => Ok(Self),
            Some(FaultInjection::Refused) | None => Err(ApiError::of(ProblemKind::Forbidden)
                .detail("with environment = \"production\" nothing fails on purpose")),
        })
    }
}

/// The body that sets a fault.
#[derive(Debug)]
pub(super) struct NewFault(Fault);

impl FromFields for NewFault {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let ratio = fields.optional("ratio", Ok::<f64, Infallible>);
        let latency_ms = fields.optional("latency_ms", Ok::<u64, Infallible>);
        let status = fields.optional("status", Ok::<u16, Infallible>);
        let reset = fields.optional("reset", Ok::<bool, Infallible>);
        let times = fields.optional("times", Ok::<u32, Infallible>);
        let for_ms = fields.optional("for_ms", Ok::<u64, Infallible>);
        let seed = fields.optional("seed", Ok::<u32, Infallible>);
        let all_readable = latency_ms.is_some() && status.is_some() && reset.is_some();

        // What could not be read is a fault already; the rest is checked all the same.
        let order = FaultOrder {
            ratio: ratio.flatten().unwrap_or(1.0),
            latency_ms: latency_ms.flatten().unwrap_or(0),
            status: status.flatten(),
            reset: reset.flatten().unwrap_or(false),
            times: times.flatten(),
            for_ms: for_ms.flatten().or(Some(LONGEST_MS)),
            seed: seed.flatten(),
        };
        if order.ratio == 0.0 {
            // In the settings it is a switch; whoever asks for a fault wants one.
            let detail = "must be above 0: `DELETE` takes a fault away";
            fields.fault("ratio", "out_of_range", detail);
        }
        match order.check() {
            Ok(Some(fault)) => return Some(Self(fault)),
            Ok(None) if all_readable => {
                let detail = "is required, unless `latency_ms` or `reset` says what goes wrong";
                fields.fault("status", "required", detail);
            }
            Ok(None) => {}
            Err(broken) => {
                for rule in broken {
                    fields.fault(rule.key, "out_of_range", format!("must {}", rule.rule));
                }
            }
        }
        None
    }
}
