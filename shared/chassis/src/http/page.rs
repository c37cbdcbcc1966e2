//! `skip`, `limit` and `cursor` of a list, and the answer with its `Link`.
//!
//! `skip` and `limit` are the guide's; a cursor is opaque to the caller and says after which row
//! to go on (keyset), so that deep pages cost what the first one does. Every list that uses it is
//! ordered by its id.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lyceum_contracts::page::{DEFAULT_LIMIT, MAX_LIMIT, Page};
use serde::Serialize;

use super::fields::{Fields, FromFields, Rule};

/// The deepest `skip`; deeper pages are reached by cursor, which does not read what it skips.
pub(crate) const MAX_SKIP: u64 = 10_000;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows to leave out from the start.
    pub skip: u64,
    /// Leave out rows up to and including this id.
    pub after: Option<i64>,
    /// The most rows to answer with, 1 to [`MAX_LIMIT`].
    pub limit: u64,
}

#[derive(Debug, thiserror::Error)]
enum WindowRule {
    #[error("must be from 1 to {MAX_LIMIT}")]
    Limit,
    #[error("must be from 0 to {MAX_SKIP}; use `cursor` to go deeper")]
    Skip,
    #[error("is not a cursor of this list")]
    Cursor,
}

impl Rule for WindowRule {
    fn code(&self) -> &'static str {
        match self {
            Self::Limit | Self::Skip => "out_of_range",
            Self::Cursor => "invalid_cursor",
        }
    }
}

impl FromFields for Window {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let limit = fields.optional("limit", |limit: i64| {
            u64::try_from(limit)
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or(WindowRule::Limit)
        });
        let skip = fields.optional("skip", |skip: i64| {
            u64::try_from(skip)
                .ok()
                .filter(|skip| *skip <= MAX_SKIP)
                .ok_or(WindowRule::Skip)
        });
        let after = fields.optional("cursor", |cursor: String| {
            decode(&cursor).ok_or(WindowRule::Cursor)
        });
        let (limit, skip, after) = (limit?, skip?, after?);
        if skip.is_some() && after.is_some() {
            fields.fault("cursor", "exclusive", "cannot stand beside `skip`");
            return None;
        }
        Some(Self {
            skip: skip.unwrap_or(0),
            after,
            limit: limit.unwrap_or(DEFAULT_LIMIT),
        })
    }
}

impl Window {
    /// Rows to read: one more than asked for tells whether there is a next page.
    pub fn rows(&self) -> u64 {
        self.limit + 1
    }
}

/// Answers with one page. `rows` were read with [`Window::rows`]; `id` is what they are ordered by.
pub fn page<R, T: Serialize>(
    request: &HttpRequest,
    window: Window,
    mut rows: Vec<R>,
    id: impl Fn(&R) -> i64,
    item: impl FnMut(R) -> T,
) -> HttpResponse {
    let limit = usize::try_from(window.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| encode(id(row)));
    let mut answer = HttpResponse::Ok();
    if let Some(cursor) = &next_cursor {
        let path = request.path();
        let filters = filters(request.query_string());
        let next = format!("<{path}?{filters}cursor={cursor}&limit={limit}>; rel=\"next\"");
        answer.insert_header((header::LINK, next));
    }
    answer.json(Page {
        items: rows.into_iter().map(item).collect(),
        next_cursor,
    })
}

/// The parameters that choose rows, as they were sent: the next page is one of the same list.
fn filters(query: &str) -> String {
    query
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !matches!(name, "" | "skip" | "limit" | "cursor")
        })
        .fold(String::new(), |kept, pair| kept + pair + "&")
}

fn encode(id: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{id}"))
}

fn decode(cursor: &str) -> Option<i64> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes)
        .ok()?
        .strip_prefix("after:")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_next_page_keeps_the_filters_of_this_one() {
        assert_eq!(
            filters("limit=2&unread=true&skip=4&q=a%26b"),
            "unread=true&q=a%26b&"
        );
        assert_eq!(filters(""), "");
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back_and_nothing_else_does(id in any::<i64>(), noise in ".{0,30}") {
            prop_assert_eq!(decode(&encode(id)), Some(id));
            if let Some(read) = decode(&noise) {
                prop_assert_eq!(encode(read), noise);
            }
        }
    }
}
