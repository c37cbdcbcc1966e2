//! Is it up, is it alive, should it be given work.
//!
//! Liveness looks at the process alone, so that a lost database restarts nothing. Readiness looks
//! at what this service owns, never at a peer: a lost peer degrades answers, it must not take the
//! caller out of service.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde::Serialize;
use tokio::time::timeout;

use super::operations::Operations;
use crate::database::NotReady;

/// A probe waits one second by default (Kubernetes); the answer must come sooner.
const CHECK_TIMEOUT: Duration = Duration::from_millis(500);

#[derive(Serialize)]
struct Up {
    status: &'static str,
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    database: &'static str,
    lifecycle: &'static str,
}

/// `GET /health`: the guide's answer.
pub(super) async fn is_up() -> HttpResponse {
    HttpResponse::Ok().json(Up { status: "ok" })
}

/// `GET /health/live`: the process answers.
pub(super) async fn is_live() -> HttpResponse {
    is_up().await
}

/// `GET /health/ready`: 200, or 503 with what is missing.
pub(super) async fn is_ready(operations: web::Data<Operations>) -> HttpResponse {
    let database = match timeout(CHECK_TIMEOUT, operations.database.ready()).await {
        Ok(Ok(())) => "ready",
        Ok(Err(NotReady::Pending(_))) => "migrations_pending",
        Ok(Err(NotReady::Unreachable(_))) | Err(_) => "unreachable",
    };
    let running = !operations.lifecycle.is_stopping();
    let ready = database == "ready" && running;
    let report = Readiness {
        status: if ready { "ready" } else { "not_ready" },
        database,
        lifecycle: if running { "running" } else { "stopping" },
    };
    if ready {
        HttpResponse::Ok().json(report)
    } else {
        HttpResponse::ServiceUnavailable().json(report)
    }
}
