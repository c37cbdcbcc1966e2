//! The bodies of requests about addresses.

use std::convert::Infallible;

use lyceum_chassis::http::{Fields, FromFields};
use secrecy::SecretString;

use crate::accounts::Email;
use crate::links::Token;

/// Body of `PUT /users/me/email`.
#[derive(Debug)]
pub(crate) struct EmailChange {
    pub(crate) email: Email,
    /// Only compared, so it obeys no rule.
    pub(crate) password: SecretString,
}

impl FromFields for EmailChange {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", |text: String| Email::parse(&text));
        let password = fields.required("password", |text: String| {
            Ok::<SecretString, Infallible>(text.into())
        });
        Some(Self {
            email: email?,
            password: password?,
        })
    }
}

/// Body of `POST /auth/confirm-email`.
#[derive(Debug)]
pub(crate) struct Confirmation(pub(crate) Token);

impl FromFields for Confirmation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields.required("token", Token::parse).map(Self)
    }
}
