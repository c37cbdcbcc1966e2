//! The description of the API, put together from what the handlers declare.

use lyceum_chassis::openapi::InCommon;
use lyceum_contracts::ids::LinkId;
use utoipa::OpenApi;

use crate::{
    accounts, announcements, audit, bulk, email_change, import, invitations, jobs, keys, links,
    overview, password, sessions,
};

/// The description served at `/openapi.json`; the committed copy is in `docs/openapi`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lyceum user service",
        description = "Accounts, sessions, and everything about one person in one answer.",
    ),
    tags(
        (name = "accounts", description = "Who there is: registered, read, changed, listed"),
        (name = "sessions", description = "Who is signed in"),
        (name = "passwords", description = "Changed by who knows them, set anew by mail"),
        (name = "overview", description = "Everything about one person in one answer"),
        (name = "audit", description = "What happened to accounts and sessions, for admins"),
        (name = "jobs", description = "Work that goes on after its request was answered"),
        (name = "internal", description = "For services of the platform"),
    ),
    paths(
        accounts::handlers::register_user,
        accounts::listing::handlers::list_users,
        accounts::listing::handlers::export_users,
        bulk::handlers::create_users,
        bulk::handlers::update_users,
        accounts::handlers::get_me,
        accounts::handlers::get_user,
        accounts::handlers::update_user,
        accounts::handlers::lookup_users,
        accounts::standing::handlers::disable_user,
        accounts::standing::handlers::enable_user,
        accounts::standing::handlers::delete_user,
        accounts::directory::list_contacts,
        announcements::handlers::post_announcement,
        import::handlers::import_users,
        import::handlers::list_import_faults,
        jobs::handlers::list_jobs,
        jobs::handlers::get_job,
        jobs::handlers::cancel_job,
        sessions::handlers::open_session,
        sessions::handlers::refresh_session,
        sessions::handlers::end_session,
        sessions::handlers::list_sessions,
        sessions::handlers::end_sessions,
        sessions::handlers::end_own_session,
        sessions::handlers::list_user_sessions,
        sessions::handlers::end_user_sessions,
        keys::handlers::get_jwks,
        overview::handlers::get_overview,
        audit::handlers::list_audit_entries,
        password::handlers::change_password,
        password::handlers::forgot_password,
        password::handlers::reset_password,
        email_change::handlers::change_email,
        email_change::handlers::confirm_email,
        invitations::handlers::accept_invitation,
        links::handlers::create_mailed_link_token,
        keys::handlers::list_revocations,
    ),
    // Named by a path alone.
    components(schemas(LinkId)),
    modifiers(&InCommon),
)]
pub(crate) struct Description;
