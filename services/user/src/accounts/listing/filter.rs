//! Which accounts are meant.
//!
//! A search is for what an address or a name begins with, in whatever case. It is asked as a range
//! of texts and not as a pattern: no character means anything but itself, and an index finds the
//! beginning of the range. That holds because the columns compare byte by byte on both engines, and
//! UTF-8 sorts by bytes as its characters do.

use std::fmt;

use lyceum_chassis::http::{Fields, FromFields, Rule};
use lyceum_contracts::role::{Role, UnknownRole};
use lyceum_contracts::user::AccountStatus;
use sea_orm::{ColumnTrait, Condition, QueryFilter, Select};

use crate::entity::user::{Column, Entity, fold_name};

/// Most characters of a search; a name has no more than twice as many.
const MAX_PREFIX: usize = 100;

/// Which accounts are meant; all that are there unless it says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    prefix: Option<Prefix>,
    role: Option<Role>,
    status: Option<AccountStatus>,
}

/// What an address or a name begins with, in lower case.
#[derive(Clone, PartialEq, Eq)]
struct Prefix(String);

/// Why accounts cannot be chosen so.
#[derive(Debug, thiserror::Error)]
enum FilterError {
    #[error("may have at most {MAX_PREFIX} characters")]
    TooLong,
    #[error("must be one line without control characters")]
    Control,
    #[error(transparent)]
    Role(#[from] UnknownRole),
    /// A deleted account is nobody's any more, so there is nothing to list.
    #[error("must be active, invited or disabled")]
    Status,
}

impl Rule for FilterError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Control => "control_character",
            Self::Role(_) => "unknown_role",
            Self::Status => "unknown_status",
        }
    }
}

impl FromFields for Filter {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let prefix = fields.optional("q", |text: String| Prefix::parse(&text));
        let role = fields.optional("role", |text: String| {
            Ok::<Role, FilterError>(text.parse()?)
        });
        let status = fields.optional("status", |text: String| match text.parse() {
            Ok(AccountStatus::Deleted) | Err(_) => Err(FilterError::Status),
            Ok(status) => Ok(status),
        });
        Some(Self {
            prefix: prefix?,
            role: role?,
            status: status?,
        })
    }
}

impl Filter {
    /// Those among `accounts` that are meant.
    pub(crate) fn choose(&self, mut accounts: Select<Entity>) -> Select<Entity> {
        if let Some(prefix) = &self.prefix {
            let either = Condition::any()
                .add(prefix.begins(Column::EmailFolded))
                .add(prefix.begins(Column::FullNameFolded));
            accounts = accounts.filter(either);
        }
        if let Some(role) = self.role {
            accounts = accounts.filter(Column::Role.eq(role));
        }
        if let Some(status) = self.status {
            accounts = accounts.filter(Column::Status.eq(status));
        }
        accounts
    }
}

impl Prefix {
    fn parse(text: &str) -> Result<Self, FilterError> {
        if text.chars().count() > MAX_PREFIX {
            Err(FilterError::TooLong)
        } else if text.chars().any(char::is_control) {
            // No name has one, and Postgres refuses a text with a zero byte.
            Err(FilterError::Control)
        } else {
            Ok(Self(fold_name(text)))
        }
    }

    /// Whether the text in `column` begins so.
    fn begins(&self, column: Column) -> Condition {
        let from = Condition::all().add(column.gte(self.0.as_str()));
        match self.end() {
            Some(end) => from.add(column.lt(end)),
            None => from,
        }
    }

    /// The first text behind all that begin so; `None` when there is none.
    fn end(&self) -> Option<String> {
        let mut end = self.0.clone();
        loop {
            let last = end.pop()?;
            // Steps over the gap of the surrogates; the last character of all has none behind it.
            if let Some(next) = (last..=char::MAX).nth(1) {
                end.push(next);
                return Some(end);
            }
        }
    }
}

/// Personal data stays out of whatever prints this.
impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prefix(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_end_of_a_range_is_the_next_text_of_its_length_or_shorter() {
        let end = |text: &str| Prefix(text.to_owned()).end();
        assert_eq!(end("ada"), Some("adb".to_owned()));
        assert_eq!(end("a\u{d7ff}"), Some("a\u{e000}".to_owned()));
        assert_eq!(end("a\u{10ffff}\u{10ffff}"), Some("b".to_owned()));
        assert_eq!(end("\u{10ffff}"), None);
        assert_eq!(end(""), None);
    }

    proptest! {
        #[test]
        fn a_text_is_in_the_range_if_and_only_if_it_begins_so(prefix in ".{0,3}", text in ".{0,5}") {
            for text in [format!("{prefix}{text}"), text] {
                let in_range = Prefix(prefix.clone()).end().is_none_or(|end| text < end);
                prop_assert_eq!(in_range && text >= prefix, text.starts_with(&prefix), "{:?}", text);
            }
        }

        #[test]
        fn what_begins_a_name_begins_it_folded_too(name in ".{0,9}", count in 0..9_usize) {
            let beginning: String = name.chars().take(count).collect();
            prop_assert!(fold_name(&name).starts_with(&fold_name(&beginning)));
        }
    }
}
