//! What is kept of security events, as admins read it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

use crate::ids::UserId;

macro_rules! actions {
    ($($(#[doc = $doc:literal])* $name:ident = $word:literal;)+) => {
        /// What somebody did that matters for the safety of accounts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[cfg_attr(
            feature = "sea-orm",
            derive(sea_orm::DeriveValueType),
            sea_orm(value_type = "String", column_type = "Text")
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Action { $($(#[doc = $doc])* $name,)+ }

        impl Action {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

actions! {
    /// A session was opened.
    Login = "login";
    /// Address and password did not belong together; the subject is known if the address is.
    LoginFailed = "login_failed";
    /// Somebody chose a new password, knowing the old one.
    PasswordChanged = "password_changed";
    /// Somebody chose a new password by a mailed link.
    PasswordReset = "password_reset";
    /// The address of an account is another one now.
    EmailChanged = "email_changed";
    /// An admin gave an account another role.
    RoleChanged = "role_changed";
    /// An account may no longer sign in.
    Disabled = "disabled";
    /// It may again.
    Enabled = "enabled";
    /// An account was deleted.
    Deleted = "deleted";
    /// One session was ended.
    SessionEnded = "session_ended";
    /// All sessions of an account were ended, or all but one.
    SessionsEnded = "sessions_ended";
    /// A spent refresh token came back, which ended its session.
    TokenReplayed = "token_replayed";
    /// The next key was made that access tokens are signed with.
    KeysRotated = "keys_rotated";
    /// An account was made whose owner is to choose the password.
    Invited = "invited";
}

/// The text names no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no action that is kept")]
pub struct UnknownAction;

impl FromStr for Action {
    type Err = UnknownAction;

    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        let named = |action: &&Self| action.as_str() == text;
        Self::ALL.iter().find(named).copied().ok_or(UnknownAction)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_reads_back_from_its_word_which_is_the_same_in_json() {
        for action in Action::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
            let json = serde_json::to_value(action).unwrap();
            assert_eq!(json, action.as_str());
        }
        assert_eq!("logout".parse::<Action>(), Err(UnknownAction));
    }
}
