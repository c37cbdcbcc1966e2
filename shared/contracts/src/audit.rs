//! What is kept of security events, as admins read it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::UserId;
use crate::words::words;

/// The text names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no action that is kept")]
pub struct UnknownAction;

words! {
    /// What somebody did that matters for the safety of accounts.
    Action or UnknownAction {
        /// A session was opened.
        Login = "login",
        /// Address and password did not belong together; the subject is known if the address is.
        LoginFailed = "login_failed",
        /// Somebody chose a new password, knowing the old one.
        PasswordChanged = "password_changed",
        /// Somebody chose a new password by a mailed link.
        PasswordReset = "password_reset",
        /// The address of an account is another one now.
        EmailChanged = "email_changed",
        /// An admin gave an account another role.
        RoleChanged = "role_changed",
        /// An account may no longer sign in.
        Disabled = "disabled",
        /// It may again.
        Enabled = "enabled",
        /// An account was deleted.
        Deleted = "deleted",
        /// One session was ended.
        SessionEnded = "session_ended",
        /// All sessions of an account were ended, or all but one.
        SessionsEnded = "sessions_ended",
        /// A spent refresh token came back, which ended its session.
        TokenReplayed = "token_replayed",
        /// The next key was made that access tokens are signed with.
        KeysRotated = "keys_rotated",
        /// An account was made whose owner is to choose the password.
        Invited = "invited",
    }
}

/// One security event. Ids are all it says of people: no address, no device, no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Grows with time; what the list is ordered by.
    pub id: i64,
    /// When it happened (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What happened.
    pub action: Action,
    /// Who did it; `null` when nobody was signed in.
    pub actor_id: Option<UserId>,
    /// Whose account it is about; `null` when it is about none.
    pub subject_id: Option<UserId>,
}
