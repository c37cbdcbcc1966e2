//! What is said on a WebSocket, as JSON. Pure.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a client may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ClientMessage {
    /// First of all: where to go on.
    Hello {
        /// The last place seen, as `Last-Event-ID`; none begins at the head.
        last_seq: Option<i64>,
    },
    /// Everything up to this place has been taken in.
    Ack {
        /// A place that was sent.
        seq: i64,
    },
}

/// What the server says besides notifications, changes and news, which are a `Notification` with
/// `"type": "notification"`, a `NotificationChange` with `"type": "change"`, and a `CourseNews` with
/// `"type": "news"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum ServerMessage {
    /// The answer to `hello`.
    Welcome {
        /// `true`: every notification and every change after `last_seq` follows. `false`: the
        /// stream begins at the head, and what came before is in the inbox.
        recovered: bool,
        /// The newest place in the sequence when the stream began.
        head_seq: i64,
        /// Unread notifications at that moment, what follows up to `head_seq` included; 99 at
        /// most. Absent on the stream of a course.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        unread: Option<u64>,
        /// Whether there are more than that. Absent on the stream of a course.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        capped: Option<bool>,
        /// Where the stream begins: what a client that is cut off now says next time.
        seq: i64,
    },
    /// A message was not understood and had no effect; the third one closes the socket.
    Error {
        /// What is wrong with it.
        code: Objection,
    },
    /// The last words before the socket is closed.
    Bye {
        /// Why.
        reason: Leaving,
        /// When to come back, if the process stops.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_ms: Option<u64>,
    },
}

/// What can be wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Objection {
    /// It is no JSON.
    MalformedJson,
    /// It is none of the messages there are.
    UnknownMessage,
    /// `hello` was said before.
    AlreadyGreeted,
    /// The place of an `ack` was never sent.
    NeverSent,
}

/// Why the server leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Leaving {
    /// The process stops.
    Stopping,
    /// Come back with a new access token.
    TokenExpired,
    /// The access token was called in: refresh the session, or sign in again if it has ended.
    TokenRevoked,
    /// The person is in the course no more, or it was deleted.
    NotAMember,
}

/// Reads what a client says.
pub(super) fn read(text: &str) -> Result<ClientMessage, Objection> {
    serde_json::from_str(text).map_err(|_| match serde_json::from_str(text) {
        Ok(IgnoredAny) => Objection::UnknownMessage,
        Err(_) => Objection::MalformedJson,
    })
}

impl ServerMessage {
    /// Types of ours with text keys always become JSON.
    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_says_hello_and_ack_and_nothing_else() {
        let hello = |last_seq| Ok(ClientMessage::Hello { last_seq });
        assert_eq!(read(r#"{"type":"hello"}"#), hello(None));
        assert_eq!(read(r#"{"type":"hello","last_seq":null}"#), hello(None));
        assert_eq!(read(r#"{"type":"hello","last_seq":7}"#), hello(Some(7)));
        assert_eq!(
            read(r#"{"seq":7,"type":"ack"}"#),
            Ok(ClientMessage::Ack { seq: 7 })
        );
        for text in ["", "{", "[1", "hello", r#"{"type":"hello"}x"#] {
            assert_eq!(read(text), Err(Objection::MalformedJson), "{text}");
        }
        for text in [
            "null",
            "{}",
            r#"{"type":"ack"}"#,
            r#"{"type":"ack","seq":"7"}"#,
            r#"{"type":"hello","last_seq":1.5}"#,
            r#"{"type":"hello","user":7}"#,
            r#"{"type":"subscribe"}"#,
            r#"{"type":"hello","type":"ack"}"#,
        ] {
            assert_eq!(read(text), Err(Objection::UnknownMessage), "{text}");
        }
    }

    #[test]
    fn the_server_says_why_it_leaves() {
        let bye = |reason, retry_ms| ServerMessage::Bye { reason, retry_ms }.write();
        assert_eq!(
            bye(Leaving::TokenExpired, None),
            r#"{"type":"bye","reason":"token_expired"}"#
        );
        assert_eq!(
            bye(Leaving::Stopping, Some(5)),
            r#"{"type":"bye","reason":"stopping","retry_ms":5}"#
        );
    }
}
