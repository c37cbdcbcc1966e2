//! The bodies of requests about passwords.

use std::convert::Infallible;

use lyceum_chassis::http::{Fields, FromFields};
use secrecy::SecretString;

use super::NewPassword;
use crate::accounts::Email;
use crate::links::Token;

/// Body of `PUT /users/me/password`.
#[derive(Debug)]
pub(crate) struct PasswordChange {
    /// Only compared, so it obeys no rule.
    pub(crate) current: SecretString,
    pub(crate) new: NewPassword,
}

impl FromFields for PasswordChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let current = fields.required("current_password", |text: String| {
            Ok::<SecretString, Infallible>(text.into())
        });
        let new = fields.required("new_password", NewPassword::parse);
        Some(Self {
            current: current?,
            new: new?,
        })
    }
}

/// Body of `POST /auth/forgot-password`.
#[derive(Debug)]
pub(crate) struct Forgotten(pub(crate) Email);

impl FromFields for Forgotten {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", |text: String| Email::parse(&text));
        email.map(Self)
    }
}

/// Body of `POST /auth/reset-password`.
#[derive(Debug)]
pub(crate) struct PasswordReset {
    pub(crate) token: Token,
    pub(crate) new: NewPassword,
}

impl FromFields for PasswordReset {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let token = fields.required("token", Token::parse);
        let new = fields.required("new_password", NewPassword::parse);
        Some(Self {
            token: token?,
            new: new?,
        })
    }
}
