//! Which part of an inbox somebody asks for.

use std::convert::Infallible;

use lyceum_chassis::http::{Fields, FromFields, Rule, Window};
use lyceum_contracts::schema;
use utoipa::IntoParams;
use utoipa::openapi::ObjectBuilder;

use crate::events::domain::KINDS;

/// The query of `GET /notifications`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Unread ones alone, read ones alone, or both.
    pub(crate) unread: Option<bool>,
    /// Those of one kind alone.
    pub(crate) kind: Option<&'static str>,
    /// What is put away, instead of what is in the inbox.
    pub(crate) archived: bool,
    /// Which of them, newest first.
    pub(crate) window: Window,
}

/// [`Listing`] as it is described.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the description of the API reads the fields")]
pub(crate) struct ListingQuery {
    /// `true`: unread ones alone; `false`: read ones alone
    unread: Option<bool>,
    /// Those of this `kind` alone
    #[param(schema_with = kinds)]
    r#type: Option<String>,
    /// `true`: what is put away, instead of what is in the inbox
    archived: Option<bool>,
}

fn kinds() -> ObjectBuilder {
    schema::word(KINDS)
}

#[derive(Debug, thiserror::Error)]
#[error("is none of {}", KINDS.join(", "))]
struct UnknownKind;

impl Rule for UnknownKind {
    fn code(&self) -> &'static str {
        "unknown_type"
    }
}

impl FromFields for Listing {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let unread = fields.optional("unread", Ok::<bool, Infallible>);
        let kind = fields.optional("type", |name: String| {
            let known = KINDS.into_iter().find(|kind| *kind == name);
            known.ok_or(UnknownKind)
        });
        let archived = fields.optional("archived", Ok::<bool, Infallible>);
        let window = Window::from_fields(fields);
        Some(Self {
            unread: unread?,
            kind: kind?,
            archived: archived?.unwrap_or(false),
            window: window?,
        })
    }
}
