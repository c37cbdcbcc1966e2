//! The whole API on one screen. Health, documentation and problems come with the chassis.

use actix_web::web::{self, Data, ServiceConfig};
use lyceum_chassis::limits::per_address;

use crate::accounts::directory;
use crate::accounts::handlers as accounts;
use crate::accounts::listing::handlers as listing;
use crate::accounts::standing::handlers as standing;
use crate::announcements::handlers as announcements;
use crate::audit::handlers as audit;
use crate::bulk::{BODY_LIMIT, handlers as bulk};
use crate::email_change::handlers as email_change;
use crate::import::handlers as import;
use crate::invitations::handlers as invitations;
use crate::jobs::handlers as jobs;
use crate::keys::handlers as keys;
use crate::links::handlers as links;
use crate::overview::handlers as overview;
use crate::password::handlers as password;
use crate::sessions::handlers as sessions;
use crate::state::State;

/// Puts every route on one worker. A known path with another method is 405.
pub(crate) fn configure(config: &mut ServiceConfig, state: &State) {
    let limits = &state.limits;
    let login = per_address(&limits.login_per_address);
    let register = per_address(&limits.register_per_address);
    let forgot = per_address(&limits.forgot_per_address);
    // One limit for all: each tries a token.
    let reset = per_address(&limits.link_per_address);
    let accept = per_address(&limits.link_per_address);
    let confirm = per_address(&limits.link_per_address);
    config
        .app_data(Data::new(state.clone()))
        .service(
            web::resource("/users")
                .route(web::post().to(accounts::register_user).wrap(register))
                .route(web::get().to(listing::list_users)),
        )
        .service(
            web::resource("/users/bulk")
                .app_data(BODY_LIMIT)
                .route(web::post().to(bulk::create_users))
                .route(web::patch().to(bulk::update_users)),
        )
        .service(web::resource("/users/export").route(web::get().to(listing::export_users)))
        .service(web::resource("/users/import").route(web::post().to(import::import_users)))
        .service(
            web::resource("/users/announcements")
                .route(web::post().to(announcements::post_announcement)),
        )
        .service(web::resource("/users/me").route(web::get().to(accounts::get_me)))
        .service(
            web::resource("/users/{id}")
                .route(web::get().to(accounts::get_user))
                .route(web::patch().to(accounts::update_user))
                .route(web::delete().to(standing::delete_user)),
        )
        .service(web::resource("/users/{id}/disable").route(web::post().to(standing::disable_user)))
        .service(web::resource("/users/{id}/enable").route(web::post().to(standing::enable_user)))
        .service(web::resource("/users/{id}/overview").route(web::get().to(overview::get_overview)))
        .service(
            web::resource("/auth/login").route(web::post().to(sessions::open_session).wrap(login)),
        )
        .service(web::resource("/auth/refresh").route(web::post().to(sessions::refresh_session)))
        .service(web::resource("/auth/logout").route(web::post().to(sessions::end_session)))
        .service(web::resource("/audit").route(web::get().to(audit::list_audit_entries)))
        .service(
            web::resource("/sessions")
                .route(web::get().to(sessions::list_sessions))
                .route(web::delete().to(sessions::end_sessions)),
        )
        .service(web::resource("/sessions/{id}").route(web::delete().to(sessions::end_own_session)))
        .service(
            web::resource("/users/{id}/sessions")
                .route(web::get().to(sessions::list_user_sessions))
                .route(web::delete().to(sessions::end_user_sessions)),
        )
        .service(web::resource("/.well-known/jwks.json").route(web::get().to(keys::get_jwks)))
        .service(web::resource("/jobs").route(web::get().to(jobs::list_jobs)))
        .service(
            web::resource("/jobs/{id}")
                .route(web::get().to(jobs::get_job))
                .route(web::delete().to(jobs::cancel_job)),
        )
        .service(
            web::resource("/jobs/{id}/faults").route(web::get().to(import::list_import_faults)),
        )
        .service(web::resource("/internal/users").route(web::get().to(directory::list_contacts)))
        .service(
            web::resource("/internal/users/lookup").route(web::post().to(accounts::lookup_users)),
        )
        .service(
            web::resource("/users/me/password").route(web::put().to(password::change_password)),
        )
        .service(web::resource("/users/me/email").route(web::put().to(email_change::change_email)))
        .service(
            web::resource("/auth/forgot-password")
                .route(web::post().to(password::forgot_password).wrap(forgot)),
        )
        .service(
            web::resource("/auth/reset-password")
                .route(web::post().to(password::reset_password).wrap(reset)),
        )
        .service(
            web::resource("/auth/confirm-email")
                .route(web::post().to(email_change::confirm_email).wrap(confirm)),
        )
        .service(
            web::resource("/auth/accept-invitation")
                .route(web::post().to(invitations::accept_invitation).wrap(accept)),
        )
        .service(
            web::resource("/internal/mailed-links/{id}/token")
                .route(web::post().to(links::create_mailed_link_token)),
        )
        .service(
            web::resource("/internal/revocations").route(web::get().to(keys::list_revocations)),
        );
}
