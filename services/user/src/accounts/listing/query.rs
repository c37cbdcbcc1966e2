//! The query of `GET /users`, and where an account stands in its answer.

use std::convert::Infallible;

use lyceum_chassis::http::{Fields, FromFields, Position, SortField, Sorted};

use super::Filter;
use crate::accounts::Account;
use crate::entity::user::{Column, Entity, fold_email, fold_name};

/// Which accounts, in which order, and which part of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) filter: Filter,
    pub(crate) part: Sorted<SortBy>,
    /// Whether all that match are counted.
    pub(super) include_total: bool,
}

/// What accounts are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortBy {
    Id,
    CreatedAt,
    Email,
    FullName,
}

impl SortField for SortBy {
    type Entity = Entity;

    const FIELDS: &'static [(&'static str, Self)] = &[
        ("id", Self::Id),
        ("created_at", Self::CreatedAt),
        ("email", Self::Email),
        ("full_name", Self::FullName),
    ];
    const ID: Column = Column::Id;

    fn column(self) -> Column {
        match self {
            Self::Id => Column::Id,
            Self::CreatedAt => Column::CreatedAt,
            Self::Email => Column::EmailFolded,
            Self::FullName => Column::FullNameFolded,
        }
    }
}

impl SortBy {
    /// Where an account stands.
    pub(super) fn position(self, user: &Account) -> Position {
        let id = user.id.get();
        match self {
            Self::Id => Position::of_id(id),
            Self::CreatedAt => Position::of_instant(user.created_at, id),
            Self::Email => Position::of_text(fold_email(&user.email), id),
            Self::FullName => Position::of_text(fold_name(&user.full_name), id),
        }
    }
}

impl FromFields for Listing {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let filter = Filter::from_fields(fields);
        let part = Sorted::from_fields(fields);
        let include_total = fields.optional("include_total", Ok::<bool, Infallible>);
        Some(Self {
            filter: filter?,
            part: part?,
            include_total: include_total?.unwrap_or(false),
        })
    }
}
