//! The listener for operators; it is never published.

mod breakers;
mod faults;
mod patch;
mod peer;
mod upstreams;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use lyceum_client::Upstream;

use super::health;
use crate::database::Database;
use crate::lifecycle::Lifecycle;
use crate::settings::PlatformSettings;
use crate::tasks::TaskSet;

/// What operators may look at, and turn.
pub(super) struct Operations {
    pub database: Database,
    pub tasks: TaskSet,
    pub upstreams: Vec<Upstream>,
    pub settings: PlatformSettings,
    pub lifecycle: Lifecycle,
}

pub(super) fn configure(config: &mut ServiceConfig) {
    config
        .service(web::resource("/health/live").route(web::get().to(health::is_live)))
        .service(web::resource("/health/ready").route(web::get().to(health::is_ready)))
        .service(web::resource("/metrics").route(web::get().to(metrics)))
        .service(web::resource("/debug/tasks").route(web::get().to(list_tasks)))
        .service(web::resource("/debug/breakers").route(web::get().to(breakers::list_breakers)))
        .service(
            web::resource("/debug/breakers/{upstream}/{endpoint}")
                .app_data(breakers::BODY_LIMIT)
                .route(web::put().to(breakers::set_mode))
                .route(web::delete().to(breakers::release)),
        )
        .service(web::resource("/debug/upstreams").route(web::get().to(upstreams::list_upstreams)))
        .service(
            web::resource("/debug/upstreams/{upstream}")
                .app_data(upstreams::BODY_LIMIT)
                .route(web::patch().to(upstreams::change_upstream)),
        )
        .service(web::resource("/debug/faults").route(web::get().to(faults::list_faults)))
        .service(
            web::resource("/debug/faults/{upstream}")
                .app_data(faults::BODY_LIMIT)
                .route(web::put().to(faults::set_fault))
                .route(web::delete().to(faults::remove_fault)),
        )
        .service(web::resource("/debug/settings").route(web::get().to(show_settings)));
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

/// The platform's sections with secrets masked; `settings` on the command line prints all.
async fn show_settings(operations: web::Data<Operations>) -> impl Responder {
    web::Json(operations.settings.clone())
}
