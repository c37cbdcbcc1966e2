//! The body of the one request about invitations.

use lyceum_chassis::http::{Fields, FromFields};

use crate::accounts::FullName;
use crate::links::Token;
use crate::password::NewPassword;

/// Body of `POST /auth/accept-invitation`.
#[derive(Debug)]
pub(crate) struct Acceptance {
    pub(crate) token: Token,
    pub(crate) password: NewPassword,
    /// `None` keeps the name the inviter wrote.
    pub(crate) full_name: Option<FullName>,
}

impl FromFields for Acceptance {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", Token::parse);
        let password = fields.required("password", NewPassword::parse);
        let full_name = fields.optional("full_name", FullName::parse);
        Some(Self {
            token: token?,
            password: password?,
            full_name: full_name?,
        })
    }
}
