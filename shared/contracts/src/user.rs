//! Requests and responses of the user service.

mod overview;

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::{SessionId, UserId};
use crate::role::Role;
use crate::schema;
use crate::words::words;

pub use self::overview::{Degraded, Overview, OverviewParts, PartAge};

/// The most ids one `POST /internal/users/lookup` may ask for.
pub const MAX_LOOKUP: usize = 200;

/// Body of `POST /users`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RegisterUser {
    /// Where the person is reached; unique without regard to case.
    #[schema(schema_with = schema::email)]
    pub email: String,
    /// 8 to 128 characters, and none of the most common passwords.
    #[schema(min_length = 8, max_length = 128)]
    pub password: String,
    /// 1 to 200 characters, one line.
    #[schema(schema_with = schema::full_name)]
    pub full_name: String,
}

/// Body of `POST /auth/login`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Credentials {
    /// The address the account was opened with.
    pub email: String,
    /// The password.
    pub password: String,
}

/// Body of `POST /auth/refresh` and `POST /auth/logout`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct RefreshSession {
    /// The newest refresh token of the session.
    pub refresh_token: String,
}

/// What a login or a refresh answers (RFC 6749 §5.1).
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// JWT for the `Authorization` header of every service.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds the access token lives.
    pub expires_in: u64,
    /// Opaque, for one use; each refresh answers with the next one.
    pub refresh_token: String,
}

/// The text names no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a status is active, invited, disabled or deleted")]
pub struct UnknownStatus;

words! {
    /// What has become of an account.
    AccountStatus or UnknownStatus {
        /// Its owner may sign in.
        Active = "active",
        /// Made for somebody who has yet to choose a password.
        Invited = "invited",
        /// An admin has shut it; nobody signs in.
        Disabled = "disabled",
        /// Nothing of the person is left; no route shows it.
        Deleted = "deleted",
    }
}

/// A session that goes on, as its owner and admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenSession {
    /// Its id.
    pub id: SessionId,
    /// What the login named itself as; at most 200 characters, `null` when it gave no name.
    pub user_agent: Option<String>,
    /// When its owner signed in (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    /// When it was opened or last refreshed (UTC); nothing else counts as being seen.
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen_at: OffsetDateTime,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// As typed at registration.
    pub email: String,
    /// As the person writes it.
    pub full_name: String,
    /// Student, instructor or admin.
    pub role: Role,
    /// Grows with every change; the `ETag`.
    pub version: i64,
    /// When the account was opened (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// What has become of it.
    pub status: AccountStatus,
}

/// An account as admins see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdminUser {
    /// Its id.
    pub id: UserId,
    /// As typed at registration.
    pub email: String,
    /// As the person writes it.
    pub full_name: String,
    /// Student, instructor or admin.
    pub role: Role,
    /// What has become of it.
    pub status: AccountStatus,
    /// Grows with every change; the `ETag`.
    pub version: i64,
    /// When the account was opened (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it last changed (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// An account as anybody else sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserProfile {
    /// Its id.
    pub id: UserId,
    /// As the person writes it.
    pub full_name: String,
}

/// Body of `PATCH /users/{id}`: JSON Merge Patch (RFC 7396), every field optional.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserUpdate {
    /// 1 to 200 characters, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = schema::full_name)]
    pub full_name: Option<String>,
    /// Admins alone may change a role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub role: Option<Role>,
}

/// Body of `POST /internal/users/lookup`: 1 to [`MAX_LOOKUP`] ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LookupUsers {
    #[schema(min_items = 1, max_items = 200)]
    /// Whom to look up; unknown ids are left out of the answer.
    pub ids: Vec<UserId>,
}

/// What another service may know of a person in order to reach them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// The account.
    pub id: UserId,
    /// Where the person is reached.
    pub email: String,
    /// As the person writes it.
    pub full_name: String,
    /// Student, instructor or admin.
    pub role: Role,
}

/// Answer of `POST /internal/users/lookup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contacts {
    /// The accounts found, by id.
    pub items: Vec<Contact>,
}

/// Answer of `GET /internal/users?after&limit`: everybody who may sign in, by id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactPage {
    /// The people of this page.
    pub items: Vec<Contact>,
    /// Pass it as `after` to go on; `null` on the last page.
    pub next_after: Option<UserId>,
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
opaque_debug!(RegisterUser, Credentials, RefreshSession, Session, Contact);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let credentials = Credentials {
            email: "ada@example.org".to_owned(),
            password: "correct horse".to_owned(),
        };
        assert_eq!(format!("{credentials:?}"), "Credentials { .. }");
    }
}
