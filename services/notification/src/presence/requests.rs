//! Whom somebody asks about.

use lyceum_chassis::http::{Fields, FromFields, Rule};
use lyceum_contracts::ids::{InvalidId, UserId};
use lyceum_contracts::presence::MAX_ASKED;

/// The query of `GET /presence`: each once, in the order of their ids.
#[derive(Debug)]
pub(crate) struct Asked(pub(super) Vec<UserId>);

#[derive(Debug, thiserror::Error)]
enum AskedRule {
    #[error("must be ids with commas between them: {0}")]
    Id(#[from] InvalidId),
    #[error("may be at most {MAX_ASKED} ids")]
    TooMany,
}

impl Rule for AskedRule {
    fn code(&self) -> &'static str {
        match self {
            Self::Id(_) => "not_an_id",
            Self::TooMany => "too_many",
        }
    }
}

fn ids(text: &str) -> Result<Vec<UserId>, AskedRule> {
    let ids = text.split(',').take(MAX_ASKED + 1).map(str::parse);
    let mut ids = ids.collect::<Result<Vec<UserId>, _>>()?;
    if ids.len() > MAX_ASKED {
        return Err(AskedRule::TooMany);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

impl FromFields for Asked {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields
            .required("user_ids", |text: String| ids(&text))
            .map(Self)
    }
}
