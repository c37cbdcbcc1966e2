//! `/debug/upstreams`: what happens to a call of each peer, and how that is changed while it runs.
//!
//! A change holds until the process ends: what is to last belongs into the settings.

use actix_web::web::{Data, Json};
use lyceum_client::faults::ActiveFault;
use lyceum_client::{SettingsError, Upstream, UpstreamSettings};
use lyceum_contracts::problem::Fault;
use serde::Serialize;

use super::Operations;
use super::patch::{self, Patch};
use super::peer::Peer;
use crate::http::{ApiError, Body, BodyLimit};

/// All keys of an upstream are some 2 KiB; in bytes.
pub(super) const BODY_LIMIT: BodyLimit = BodyLimit(16 * 1024);

/// One upstream.
#[derive(Debug, Serialize)]
pub(super) struct UpstreamReport {
    upstream: &'static str,
    /// `host:port` of each.
    endpoints: Vec<String>,
    /// The policies in words, outermost first.
    pipeline: Vec<String>,
    settings: UpstreamSettings,
    fault: Option<ActiveFault>,
}

impl UpstreamReport {
    fn of(upstream: &Upstream) -> Self {
        let breakers = upstream.breakers().into_iter();
        Self {
            upstream: upstream.name(),
            endpoints: breakers.map(|report| report.endpoint).collect(),
            pipeline: upstream.describe(),
            settings: upstream.settings(),
            fault: upstream.fault().fault,
        }
    }
}

/// `GET /debug/upstreams`
pub(super) async fn list_upstreams(operations: Data<Operations>) -> Json<Vec<UpstreamReport>> {
    Json(
        operations
            .upstreams
            .iter()
            .map(UpstreamReport::of)
            .collect(),
    )
}

/// `PATCH /debug/upstreams/{upstream}`: changes what the body names (RFC 7396), all of it or
/// nothing, and answers with the settings in force. Null brings a default of the code back.
pub(super) async fn change_upstream(
    Peer(upstream): Peer,
    Body(patch): Body<Patch>,
    operations: Data<Operations>,
) -> Result<Json<UpstreamSettings>, ApiError> {
    // No other change comes in between: one thread serves this listener, and nothing here waits.
    let before = upstream.settings();
    let after = patch.apply(&before).map_err(ApiError::faults)?;
    let faults = operations.settings.environment.into();
    after
        .check(upstream.name(), faults)
        .and_then(|()| upstream.reconfigure(&after))
        .map_err(|error| contradiction(upstream.name(), &error))?;
    let keys = patch::changed(&before, &after);
    if !keys.is_empty() {
        tracing::info!(
            event = "upstream.reconfigured",
            upstream = upstream.name(),
            keys = keys.join(" "),
            "an operator has changed settings, until this process ends"
        );
    }
    Ok(Json(upstream.settings()))
}

/// 422: each value could be, but not all of them together. Names the key as the settings do.
fn contradiction(upstream: &str, error: &SettingsError) -> ApiError {
    let own = error.key.strip_prefix(&format!("upstreams.{upstream}."));
    let fault = Fault {
        pointer: format!("#/{}", own.unwrap_or_default().replace('.', "/")),
        detail: error.to_string(),
        code: "contradiction".to_owned(),
    };
    ApiError::faults(vec![fault]).detail(error.to_string())
}
