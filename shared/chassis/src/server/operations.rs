//! The listener for operators; it is never published.

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use lyceum_client::Upstream;

use super::health;
use crate::database::Database;
use crate::lifecycle::Lifecycle;
use crate::settings::PlatformSettings;
use crate::tasks::TaskSet;

/// What operators may look at.
pub(super) struct Operations {
    pub database: Database,
    pub tasks: TaskSet,
    pub upstreams: Vec<Upstream>,
    pub settings: PlatformSettings,
    pub lifecycle: Lifecycle,
}

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .route("/health/live", web::get().to(health::is_live))
        .route("/health/ready", web::get().to(health::is_ready))
        .route("/metrics", web::get().to(metrics))
        .route("/debug/tasks", web::get().to(list_tasks))
        .route("/debug/breakers", web::get().to(list_breakers))
        .route("/debug/settings", web::get().to(show_settings));
}

/// Prometheus text exposition.
async fn metrics() -> impl Responder {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(lyceum_telemetry::metrics_text())
}

async fn list_tasks(operations: web::Data<Operations>) -> impl Responder {
    web::Json(operations.tasks.report())
}

async fn list_breakers(operations: web::Data<Operations>) -> impl Responder {
    let reports: Vec<_> = operations
        .upstreams
        .iter()
        .flat_map(Upstream::breakers)
        .collect();
    web::Json(reports)
}

/// The platform's sections with secrets masked; `settings` on the command line prints all.
async fn show_settings(operations: web::Data<Operations>) -> impl Responder {
    web::Json(operations.settings.clone())
}
