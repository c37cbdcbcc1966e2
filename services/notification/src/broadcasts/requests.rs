//! The body of a request for a broadcast, read into what can be.

use lyceum_chassis::http::{Fields, FromFields, Rule};
use lyceum_contracts::broadcast::{AudienceKind, MAX_LISTED, UnknownAudience};
use lyceum_contracts::ids::{CourseId, InvalidId, UserId};
use serde::Serialize;

use super::domain::{body, collapse_key, link, title};

/// Body of `POST /broadcasts`.
#[derive(Debug, Serialize)]
pub(crate) struct NewBroadcast {
    pub(super) audience: Audience,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) link: Option<String>,
    pub(super) collapse_key: Option<String>,
}

/// Whom it is for.
#[derive(Debug, Serialize)]
pub(super) enum Audience {
    All,
    Course(CourseId),
    /// Each once, in the order of their ids.
    Users(Vec<UserId>),
}

#[derive(Debug, thiserror::Error)]
enum AudienceRule {
    #[error(transparent)]
    Kind(#[from] UnknownAudience),
    #[error(transparent)]
    Id(#[from] InvalidId),
    #[error("must list somebody")]
    Nobody,
    #[error("may list at most {MAX_LISTED} people")]
    TooMany,
}

impl Rule for AudienceRule {
    fn code(&self) -> &'static str {
        match self {
            Self::Kind(_) => "unknown_audience",
            Self::Id(_) => "not_an_id",
            Self::Nobody => "too_few",
            Self::TooMany => "too_many",
        }
    }
}

fn listed(ids: Vec<i64>) -> Result<Vec<UserId>, AudienceRule> {
    match ids.len() {
        0 => return Err(AudienceRule::Nobody),
        1..=MAX_LISTED => {}
        _ => return Err(AudienceRule::TooMany),
    }
    let ids = ids.into_iter().map(UserId::try_from);
    let mut ids = ids.collect::<Result<Vec<_>, _>>()?;
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

impl FromFields for Audience {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let kind = |word: String| word.parse::<AudienceKind>().map_err(AudienceRule::from);
        match fields.required("kind", kind)? {
            AudienceKind::All => Some(Self::All),
            AudienceKind::Course => {
                let course = |id: i64| CourseId::try_from(id).map_err(AudienceRule::from);
                fields.required("course_id", course).map(Self::Course)
            }
            AudienceKind::Users => fields.required("user_ids", listed).map(Self::Users),
        }
    }
}

impl FromFields for NewBroadcast {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let audience = fields.object("audience");
        let title = fields.required("title", title);
        let body = fields.required("body", body);
        let link = fields.optional("link", link);
        let collapse_key = fields.optional("collapse_key", collapse_key);
        Some(Self {
            audience: audience?,
            title: title?,
            body: body?,
            link: link?,
            collapse_key: collapse_key?,
        })
    }
}
