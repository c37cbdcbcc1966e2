//! The body of a request for an announcement.

use lyceum_chassis::http::{Fields, FromFields, Rule};
use lyceum_contracts::role::{Role, UnknownRole};
use serde::Serialize;

use super::domain::{Text, Title};

/// Body of `POST /users/announcements`.
#[derive(Debug)]
pub(crate) struct NewAnnouncement {
    pub(super) title: Title,
    pub(super) text: Text,
    /// Whom it is for; empty is everybody.
    pub(super) roles: Vec<Role>,
}

/// The list names no role, one twice, or none at all.
#[derive(Debug, thiserror::Error)]
enum RolesRule {
    #[error(transparent)]
    Unknown(#[from] UnknownRole),
    #[error("must name each role once")]
    Repeated,
    #[error("must name a role, or be left out for everybody")]
    Empty,
}

impl Rule for RolesRule {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "unknown_role",
            Self::Repeated => "repeated",
            Self::Empty => "out_of_range",
        }
    }
}

fn parse_roles(names: Vec<String>) -> Result<Vec<Role>, RolesRule> {
    let mut roles = Vec::new();
    for name in names {
        let role: Role = name.parse()?;
        if roles.contains(&role) {
            return Err(RolesRule::Repeated);
        }
        roles.push(role);
    }
    if roles.is_empty() {
        return Err(RolesRule::Empty);
    }
    Ok(roles)
}

impl FromFields for NewAnnouncement {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let title = fields.required("title", Title::parse);
        let text = fields.required("text", Text::parse);
        let roles = fields.optional("roles", parse_roles);
        Some(Self {
            title: title?,
            text: text?,
            roles: roles?.unwrap_or_default(),
        })
    }
}

impl NewAnnouncement {
    /// What makes two requests the same.
    pub(super) fn as_sent(&self) -> impl Serialize {
        (self.title.as_str(), self.text.as_str(), &self.roles)
    }
}
