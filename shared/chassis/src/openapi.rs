//! What the descriptions of all three APIs have in common.
//!
//! A handler declares what is its own: its answers, and the statuses only it gives. [`InCommon`]
//! adds the rest: how callers prove who they are, the failures every route has, and the one body
//! that all failures have.

mod closed;

use std::collections::BTreeMap;

use lyceum_contracts::page::{DEFAULT_LIMIT, MAX_LIMIT};
use lyceum_contracts::problem::{Fault, MEDIA_TYPE, Problem, ProblemKind};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::schema::{AnyOf, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    self, ContentBuilder, Header, Ref, RefOr, Required, Response, ResponseBuilder,
};
use utoipa::{IntoParams, Modify, PartialSchema, ToSchema};

use crate::http::MAX_SKIP;
use crate::idempotency::{IdempotencyKey, RequiredIdempotencyKey};

/// Name of the scheme for people: `security(("access_token" = []))`.
const ACCESS_TOKEN: &str = "access_token";
/// Name of the scheme for services.
const SERVICE_TOKEN: &str = "service_token";
/// The header that names a request.
const KEY: &str = "Idempotency-Key";

/// Completes the description of one service: `modifiers(&InCommon)`.
#[derive(Debug)]
pub struct InCommon;

impl Modify for InCommon {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let components = api.components.get_or_insert_default();
        for (name, meaning) in [
            (
                ACCESS_TOKEN,
                "An access token of the user service, from /auth/login",
            ),
            (SERVICE_TOKEN, "A token that services make for one another"),
        ] {
            let bearer = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some(meaning));
            components.add_security_scheme(name, SecurityScheme::Http(bearer.build()));
        }
        for (name, schema) in [
            (Problem::name(), Problem::schema()),
            (Fault::name(), Fault::schema()),
        ] {
            components
                .schemas
                .entry(name.into_owned())
                .or_insert(schema);
        }
        for operation in operations(&mut api.paths) {
            add_failures(operation);
            describe_failures(operation);
            describe_replays(operation);
            describe_limits(operation);
            describe_views(operation);
        }
        closed::close_bodies(&mut components.schemas, operations(&mut api.paths));
    }
}

fn operations(paths: &mut Paths) -> impl Iterator<Item = &mut Operation> {
    paths.paths.values_mut().flat_map(|path| {
        let methods = [
            &mut path.get,
            &mut path.post,
            &mut path.put,
            &mut path.patch,
            &mut path.delete,
        ];
        methods.into_iter().flatten()
    })
}

fn add_failures(operation: &mut Operation) {
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
    if parameters(operation).any(|parameter| parameter.parameter_in == ParameterIn::Query) {
        kinds.extend([ProblemKind::MalformedRequest, ProblemKind::ValidationError]);
    }
    if parameters(operation).any(|parameter| parameter.name == "cursor") {
        kinds.push(ProblemKind::InvalidCursor);
    }
    if is_keyed(operation) {
        kinds.extend([
            ProblemKind::MalformedRequest,
            ProblemKind::IdempotencyKeyReused,
        ]);
    }
    let mut titles = BTreeMap::<u16, Vec<&str>>::new();
    for kind in kinds {
        let of_status = titles.entry(kind.status()).or_default();
        if !of_status.contains(&kind.title()) {
            of_status.push(kind.title());
        }
    }
    let answers = &mut operation.responses.responses;
    for (status, titles) in titles {
        answers
            .entry(status.to_string())
            .or_insert_with(|| Response::new(titles.join(", or: ")).into());
    }
    // What comes from between the routes: overload, a database that is away.
    let other = || Response::new("Any other failure").into();
    answers.entry("default".to_owned()).or_insert_with(other);
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    let parameters = operation.parameters.iter().flatten();
    parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn is_keyed(operation: &Operation) -> bool {
    parameters(operation).any(|parameter| parameter.name == KEY)
}

/// How a caller tells an answer that was given before.
fn describe_replays(operation: &mut Operation) {
    if !is_keyed(operation) {
        return;
    }
    let answers = operation.responses.responses.iter_mut();
    for (_, answer) in answers.filter(|(status, _)| status.starts_with('2')) {
        let RefOr::T(success) = answer else { continue };
        let mut marked = Header::new(string());
        marked.description = Some("`true` when it was given before, under the same key".to_owned());
        let name = "Idempotent-Replayed".to_owned();
        success.headers.insert(name, marked.into());
    }
}

/// Where a caller of a limited route stands, told on every answer; such a route says so of its 429.
fn describe_limits(operation: &mut Operation) {
    let answers = &mut operation.responses.responses;
    let is_limited = matches!(answers.get("429"),
        Some(RefOr::T(refusal)) if refusal.headers.contains_key("RateLimit"));
    if !is_limited {
        return;
    }
    let headers = [
        (
            "RateLimit-Policy",
            "The rule: quota `q` in a window of `w` seconds",
        ),
        ("RateLimit", "`r` more at once, one more within `t` seconds"),
    ];
    for (status, answer) in answers {
        let RefOr::T(answer) = answer else { continue };
        let mut told = headers.to_vec();
        if status == "429" {
            told.push(("Retry-After", "Seconds until it is let through"));
        }
        for (name, meaning) in told {
            let mut header = Header::new(string());
            header.description = Some(meaning.to_owned());
            answer.headers.insert(name.to_owned(), header.into());
        }
    }
}

/// An answer that depends on who asks: one view may hold all fields of another, and then an answer
/// is both.
fn describe_views(operation: &mut Operation) {
    for answer in operation.responses.responses.values_mut() {
        let RefOr::T(answer) = answer else { continue };
        for content in answer.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            if let Some(RefOr::T(Schema::OneOf(views))) = &mut content.schema {
                let views = std::mem::take(views);
                let any = AnyOf {
                    items: views.items,
                    description: views.description,
                    ..AnyOf::default()
                };
                content.schema = Some(RefOr::T(Schema::AnyOf(any)));
            }
        }
    }
}

fn describe_failures(operation: &mut Operation) {
    let answers = operation.responses.responses.iter_mut();
    for (_, answer) in answers.filter(|(status, _)| !status.starts_with('2')) {
        let RefOr::T(failure) = answer else { continue };
        let problem = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build();
        let mut described = std::mem::take(failure);
        described.content.clear();
        *failure = ResponseBuilder::from(described)
            .content(MEDIA_TYPE, problem)
            .build();
    }
}

/// `skip`, `limit` and `cursor` of a list: `params(WindowQuery)`.
#[derive(Debug)]
pub enum WindowQuery {}

impl IntoParams for WindowQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = format!("Rows of one page; {DEFAULT_LIMIT} when absent");
        let number = |least: u64, most: u64| {
            let kind = ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer));
            kind.minimum(Some(least)).maximum(Some(most))
        };
        vec![
            parameter("skip", number(0, MAX_SKIP), "Rows to leave out"),
            parameter("limit", number(1, MAX_LIMIT), &limit),
            parameter(
                "cursor",
                string(),
                "`next_cursor` of the page before, with the same filters and order; not with `skip`",
            ),
        ]
    }
}

/// The header of a route that has its effect once per key: `params(IdempotencyKey)`.
impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![key_parameter(Required::False)]
    }
}

/// The same where it must be sent: `params(RequiredIdempotencyKey)`.
impl IntoParams for RequiredIdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![key_parameter(Required::True)]
    }
}

fn key_parameter(required: Required) -> Parameter {
    let meaning = "Names this request, 1 to 255 characters such as a UUID; sent again under the same \
                   key it has its effect once and is answered as before";
    // Visible ASCII and spaces between, as the header is read.
    let key = string()
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!#-~]([ -~]*[!-~])?$"));
    ParameterBuilder::new()
        .name(KEY)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(meaning))
        .schema(Some(key))
        .build()
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn parameter(name: &str, schema: ObjectBuilder, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
