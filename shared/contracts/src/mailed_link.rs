//! Bodies about mailed links: asking for one, following it, and writing its letter.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::event::LinkPurpose;
use crate::schema;

/// Answer of `POST /internal/mailed-links/{id}/token`: what a letter needs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MailedLinkToken {
    /// Where the letter goes.
    pub to: String,
    /// Who reads it, as the person writes it.
    pub full_name: String,
    /// What following the link does.
    pub purpose: LinkPurpose,
    /// What makes the link one; it is kept nowhere, so it is in this letter or lost.
    pub token: String,
    /// When it stops counting (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
}

/// Body of `POST /auth/forgot-password`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ForgotPassword {
    /// The address the account was opened with.
    #[schema(schema_with = schema::email)]
    pub email: String,
}

/// Body of `POST /auth/reset-password`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ResetPassword {
    /// From the letter.
    #[schema(schema_with = schema::link_token)]
    pub token: String,
    /// 8 to 128 characters, and not a common one.
    #[schema(min_length = 8, max_length = 128)]
    pub new_password: String,
}

/// Body of `PUT /users/me/password`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangePassword {
    /// The password so far.
    pub current_password: String,
    /// 8 to 128 characters, and not a common one.
    #[schema(min_length = 8, max_length = 128)]
    pub new_password: String,
}

/// Body of `PUT /users/me/email`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ChangeEmail {
    /// The new address, which is sent a link.
    #[schema(schema_with = schema::email)]
    pub email: String,
    /// The password.
    pub password: String,
}

/// Body of `POST /auth/confirm-email`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ConfirmEmail {
    /// From the letter.
    #[schema(schema_with = schema::link_token)]
    pub token: String,
}

/// Body of `POST /auth/accept-invitation`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct AcceptInvitation {
    /// From the letter.
    #[schema(schema_with = schema::link_token)]
    pub token: String,
    /// 8 to 128 characters, and not a common one.
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
    /// 1 to 200 characters, one line; without it the name stays as the inviter wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::full_name)]
    pub full_name: Option<String>,
}

/// `Debug` that names the type and shows nothing: the values are secrets or personal data.
macro_rules! opaque_debug {
    ($($name:ident),+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
opaque_debug!(
    MailedLinkToken,
    ForgotPassword,
    ResetPassword,
    ChangePassword,
    ChangeEmail,
    ConfirmEmail,
    AcceptInvitation
);
