//! Why sessions end before their time.

use std::fmt;
use std::str::FromStr;

/// Why a session was ended; kept beside it for as long as the session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sea_orm::DeriveValueType)]
#[sea_orm(value_type = "String", column_type = "Text")]
pub(crate) enum EndReason {
    /// Its owner signed out.
    Logout,
    /// Its owner ended it from another session.
    Owner,
    /// An admin ended it.
    Admin,
    /// A refresh token came back that nobody may use any more.
    Replayed,
    /// The account had too many, and this was the oldest.
    Crowded,
    /// The password was changed or set anew.
    PasswordChanged,
    /// The account was disabled.
    Disabled,
    /// The account was deleted.
    Deleted,
}

/// The text is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no reason a session ends for")]
pub(crate) struct UnknownReason;

impl EndReason {
    const ALL: [Self; 8] = [
        Self::Logout,
        Self::Owner,
        Self::Admin,
        Self::Replayed,
        Self::Crowded,
        Self::PasswordChanged,
        Self::Disabled,
        Self::Deleted,
    ];

    /// The word in the database and in the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Replayed => "replayed",
            Self::Crowded => "crowded",
            Self::PasswordChanged => "password_changed",
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
        }
    }
}

impl FromStr for EndReason {
    type Err = UnknownReason;

    fn from_str(text: &str) -> Result<Self, UnknownReason> {
        let mut all = Self::ALL.into_iter();
        all.find(|reason| reason.as_str() == text)
            .ok_or(UnknownReason)
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
