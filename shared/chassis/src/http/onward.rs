//! `after` and `limit` of a list that another service walks over, by id.
//!
//! No cursor and no `skip`: the caller is one of the platform, keeps the last id it has seen in its
//! own database, and goes on from there whenever it comes back.

use lyceum_contracts::page::{DEFAULT_LIMIT, MAX_LIMIT};
use utoipa::IntoParams;

use super::fields::{Fields, FromFields, Rule};

/// Where to go on, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Onward {
    /// The id after which to go on; 0, or left out, from the beginning.
    #[param(required = false, minimum = 0)]
    pub after: i64,
    /// People of one page, 1 to 1000; 100 when left out.
    #[param(required = false, minimum = 1, maximum = 1000)]
    pub limit: u64,
}

#[derive(Debug, thiserror::Error)]
enum OnwardRule {
    #[error("must be an id, or 0")]
    After,
    #[error("must be from 1 to {MAX_LIMIT}")]
    Limit,
}

impl Rule for OnwardRule {
    fn code(&self) -> &'static str {
        "out_of_range"
    }
}

impl FromFields for Onward {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let after = fields.optional("after", |after: i64| {
            Some(after)
                .filter(|after| *after >= 0)
                .ok_or(OnwardRule::After)
        });
        let limit = fields.optional("limit", |limit: i64| {
            let limit = u64::try_from(limit).ok();
            limit
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or(OnwardRule::Limit)
        });
        Some(Self {
            after: after?.unwrap_or(0),
            limit: limit?.unwrap_or(DEFAULT_LIMIT),
        })
    }
}

impl Onward {
    /// Rows to read: one more than asked for tells whether there is a next page.
    pub const fn rows(&self) -> u64 {
        self.limit + 1
    }

    /// Of rows read with [`Self::rows`], those of this page, and the id after which the next one
    /// begins if there is one.
    pub fn cut<R, I>(&self, mut rows: Vec<R>, id: impl Fn(&R) -> I) -> (Vec<R>, Option<I>) {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_after = rows.last().filter(|_| more).map(id);
        (rows, next_after)
    }
}
