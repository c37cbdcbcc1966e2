//! The description of the API: what the handlers declare, and what all of them have in common.

use lyceum_contracts::problem::{Fault, MEDIA_TYPE, Problem, ProblemKind};
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{self, ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::{accounts, overview, sessions};

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
        (name = "overview", description = "Everything about one person in one answer"),
        (name = "internal", description = "For services of the platform"),
    ),
    paths(
        accounts::handlers::register_user,
        accounts::handlers::list_users,
        accounts::handlers::get_me,
        accounts::handlers::get_user,
        accounts::handlers::update_user,
        accounts::handlers::lookup_users,
        sessions::handlers::open_session,
        sessions::handlers::refresh_session,
        sessions::handlers::end_session,
        sessions::handlers::get_jwks,
        overview::handlers::get_overview,
    ),
    components(schemas(Problem, Fault)),
    modifiers(&Tokens, &Problems),
)]
pub(crate) struct Description;

/// The two kinds of token a route may ask for.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let bearer = |description: &str| {
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some(description));
            SecurityScheme::Http(scheme.build())
        };
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("user", bearer("An access token, from /auth/login"));
        components.add_security_scheme("service", bearer("A token services make for one another"));
    }
}

/// Adds the failures every route has, and the one body that all failures have.
struct Problems;

impl Modify for Problems {
    fn modify(&self, api: &mut openapi::OpenApi) {
        for item in api.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.patch];
            for operation in operations.into_iter().flatten() {
                add_common_failures(operation);
                describe_failures(operation);
            }
        }
    }
}

fn add_common_failures(operation: &mut Operation) {
    let mut kinds = vec![ProblemKind::RequestTimeout, ProblemKind::InternalError];
    if operation.security.is_some() {
        kinds.push(ProblemKind::Unauthenticated);
    }
    if operation.request_body.is_some() {
        kinds.extend([
            ProblemKind::MalformedRequest,
            ProblemKind::ContentTooLarge,
            ProblemKind::UnsupportedMediaType,
            ProblemKind::ValidationError,
        ]);
    }
    let is_query = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query);
    if operation.parameters.iter().flatten().any(is_query) {
        kinds.extend([ProblemKind::MalformedRequest, ProblemKind::ValidationError]);
    }
    for kind in kinds {
        let failure = Response::new(kind.title());
        operation
            .responses
            .responses
            .entry(kind.status().to_string())
            .or_insert_with(|| failure.into());
    }
    // What comes from between the routes: overload, an unreachable database.
    operation
        .responses
        .responses
        .entry("default".to_owned())
        .or_insert_with(|| Response::new("Any other failure").into());
}

fn describe_failures(operation: &mut Operation) {
    let answers = operation.responses.responses.iter_mut();
    for (_, answer) in answers.filter(|(status, _)| !status.starts_with('2')) {
        let RefOr::T(failure) = answer else { continue };
        let problem = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build();
        let described = ResponseBuilder::from(std::mem::take(failure));
        *failure = described.content(MEDIA_TYPE, problem).build();
    }
}
