//! `skip`, `limit` and `cursor` of a list, and the answer with its `Link`.
//!
//! `skip` and `limit` are the guide's; a cursor is opaque to the caller and says after which row
//! to go on (keyset), so that deep pages cost what the first one does, and rows that come or go
//! meanwhile move no other. A list by id has an id for its position; one that its caller may sort
//! has a [`Position`](super::Position), see [`Sorted`](super::Sorted).

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use lyceum_contracts::page::{DEFAULT_LIMIT, MAX_LIMIT, Page};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cursor::{self, List};
use super::fields::{Fields, FromFields, Rule};

/// The deepest `skip`; deeper pages are reached by cursor, which does not read what it skips.
pub(crate) const MAX_SKIP: u64 = 10_000;
/// A cursor that is not one of the list; by itself this fault is a problem of its own.
pub(super) const INVALID_CURSOR: &str = "invalid_cursor";

/// Which part of a list is asked for. `P` is what its rows are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window<P = i64> {
    /// Rows to leave out from the start.
    pub skip: u64,
    /// Leave out rows up to and including this one.
    pub after: Option<P>,
    /// The most rows to answer with, 1 to [`MAX_LIMIT`].
    pub limit: u64,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum WindowRule {
    #[error("must be from 1 to {MAX_LIMIT}")]
    Limit,
    #[error("must be from 0 to {MAX_SKIP}; use `cursor` to go deeper")]
    Skip,
    #[error("is not a cursor of this list with these filters and this order; begin without one")]
    Cursor,
}

impl Rule for WindowRule {
    fn code(&self) -> &'static str {
        match self {
            Self::Limit | Self::Skip => "out_of_range",
            Self::Cursor => INVALID_CURSOR,
        }
    }
}

impl<P: DeserializeOwned> FromFields for Window<P> {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let limit = fields.optional("limit", |limit: i64| {
            u64::try_from(limit)
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or(WindowRule::Limit)
        });
        let skips = fields.has("skip");
        let skip = fields.optional("skip", |skip: i64| {
            u64::try_from(skip)
                .ok()
                .filter(|skip| *skip <= MAX_SKIP)
                .ok_or(WindowRule::Skip)
        });
        let list = fields.cursor_list();
        if skips && fields.has("cursor") {
            fields.fault("cursor", "exclusive", "cannot stand beside `skip`");
        }
        let after = fields.optional("cursor", |cursor: String| {
            let position = list.and_then(|list| list.open(&cursor));
            position.ok_or(WindowRule::Cursor)
        });
        Some(Self {
            limit: limit?.unwrap_or(DEFAULT_LIMIT),
            skip: skip?.unwrap_or(0),
            after: after?,
        })
    }
}

impl<P> Window<P> {
    /// Rows to read: one more than asked for tells whether there is a next page.
    pub fn rows(&self) -> u64 {
        self.limit + 1
    }
}

/// Answers with one page. `rows` were read with [`Window::rows`]; `position` is what they are
/// ordered by.
pub fn page<P: Serialize, R, T: Serialize>(
    request: &HttpRequest,
    window: Window<P>,
    rows: Vec<R>,
    position: impl Fn(&R) -> P,
    item: impl FnMut(R) -> T,
) -> HttpResponse {
    page_of(None, request, window, rows, position, item)
}

/// As [`page`], with the number of rows on all pages if the caller asked for it.
pub fn page_of<P: Serialize, R, T: Serialize>(
    total: Option<u64>,
    request: &HttpRequest,
    window: Window<P>,
    mut rows: Vec<R>,
    position: impl Fn(&R) -> P,
    item: impl FnMut(R) -> T,
) -> HttpResponse {
    let Window { skip, after, limit } = window;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more).map(position);
    let next_cursor = last.map(|last| list_of(request).seal(&last));
    let links = links(
        request,
        limit,
        skip > 0 || after.is_some(),
        next_cursor.as_deref(),
    );
    let mut answer = HttpResponse::Ok();
    if !links.is_empty() {
        answer.insert_header((header::LINK, links));
    }
    answer.json(Page {
        items: rows.into_iter().map(item).collect(),
        next_cursor,
        total,
    })
}

/// `Link` (RFC 8288): the next page if there is one, and the first from any other.
fn links(request: &HttpRequest, limit: usize, is_later: bool, next_cursor: Option<&str>) -> String {
    let path = request.path();
    let filters = filters(request.query_string());
    let mut links = Vec::new();
    if let Some(cursor) = next_cursor {
        links.push(format!(
            "<{path}?{filters}cursor={cursor}&limit={limit}>; rel=\"next\""
        ));
    }
    if is_later {
        links.push(format!("<{path}?{filters}limit={limit}>; rel=\"first\""));
    }
    links.join(", ")
}

/// The list a request asks for a part of.
fn list_of(request: &HttpRequest) -> List {
    // It was read before, so it can be read.
    let query: Vec<(String, String)> =
        serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    let parameters = query.iter().map(|(name, value)| (&**name, &**value));
    List::new(request.path(), parameters)
}

/// The parameters that choose rows, as they were sent: the next page is one of the same list.
fn filters(query: &str) -> String {
    query
        .split('&')
        .filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            !name.is_empty() && !cursor::is_of_the_window(name)
        })
        .fold(String::new(), |kept, pair| kept + pair + "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filters_of_this_one() {
        assert_eq!(
            filters("limit=2&unread=true&skip=4&q=a%26b&include_total=true"),
            "unread=true&q=a%26b&"
        );
        assert_eq!(filters(""), "");
    }
}
