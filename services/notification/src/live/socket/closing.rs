//! Why the server closes a socket, and how it says so. Pure.

use actix_http::ws::{CloseCode, CloseReason};

/// Every reason there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    ProtocolError,
    TextOnly,
    NotUtf8,
    NotUnderstood,
    TooBig,
    Stopping,
    Unavailable,
    Slow,
    NoHello,
    TokenExpired,
    TokenRevoked,
    NoPong,
    TooManyMessages,
    NotHello,
    NotAMember,
}

impl Closing {
    /// The code of the close frame; the table is in the documentation of this room.
    pub(super) const fn code(self) -> u16 {
        match self {
            Self::ProtocolError => 1002,
            Self::TextOnly => 1003,
            Self::NotUtf8 => 1007,
            Self::NotUnderstood => 1008,
            Self::TooBig => 1009,
            Self::Stopping => 4000,
            Self::Unavailable => 4003,
            Self::Slow => 4008,
            Self::NoHello => 4400,
            Self::TokenExpired => 4401,
            Self::TokenRevoked => 4403,
            Self::NoPong => 4408,
            Self::TooManyMessages => 4429,
            Self::NotHello => 4500,
            Self::NotAMember => 4501,
        }
    }

    /// The reason in the close frame and in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ProtocolError => "protocol_error",
            Self::TextOnly => "text_only",
            Self::NotUtf8 => "not_utf8",
            Self::NotUnderstood => "not_understood",
            Self::TooBig => "too_big",
            Self::Stopping => "stopping",
            Self::Unavailable => "unavailable",
            Self::Slow => "slow",
            Self::NoHello => "no_hello",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::NoPong => "no_pong",
            Self::TooManyMessages => "too_many_messages",
            Self::NotHello => "not_hello",
            Self::NotAMember => "not_a_member",
        }
    }

    pub(super) fn reason(self) -> CloseReason {
        CloseReason {
            code: CloseCode::from(self.code()),
            description: Some(self.as_str().to_owned()),
        }
    }
}
