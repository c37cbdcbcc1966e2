//! Typed ids: a course's id cannot be passed where a user's is meant.
//!
//! Ids are positive 64-bit integers (the guide's `user_id: int`), made by the database that owns
//! the row. Anything else does not parse.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The text or number is not a positive 64-bit integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a positive 64-bit integer")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
        )]
        #[cfg_attr(feature = "sea-orm", derive(sea_orm::DeriveValueType))]
        #[serde(try_from = "i64", into = "i64")]
        #[schema(value_type = i64, minimum = 1)]
        pub struct $name(i64);

        impl $name {
            /// The number as the database and the wire hold it.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = InvalidId;

            fn try_from(value: i64) -> Result<Self, InvalidId> {
                if value > 0 { Ok(Self(value)) } else { Err(InvalidId) }
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Plain decimal digits only: no sign, no space, no leading zero.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
                if !plain {
                    return Err(InvalidId);
                }
                text.parse::<i64>().map_err(|_| InvalidId)?.try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A person with an account; owned by the user service.
    UserId
}
id! {
    /// One login of one person, however often it is refreshed; owned by the user service.
    SessionId
}
id! {
    /// A course, draft or published; owned by the course service.
    CourseId
}
id! {
    /// One person's registration in one course; a new one after every drop.
    EnrolmentId
}
id! {
    /// One line in one person's inbox; owned by the notification service.
    NotificationId
}
id! {
    /// One letter to one person; owned by the notification service.
    DeliveryId
}
id! {
    /// A receiver of webhooks; owned by the notification service.
    WebhookId
}
id! {
    /// One message to one receiver of webhooks; owned by the notification service.
    WebhookDeliveryId
}
id! {
    /// One notice to many people; owned by the notification service.
    BroadcastId
}
id! {
    /// Work that goes on after its request was answered; owned by the user service.
    JobId
}
id! {
    /// A link that is mailed once asked for; owned by the user service.
    LinkId
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_a_positive_integer_is_not_an_id() {
        for text in [
            "",
            "0",
            "-1",
            "+1",
            "01",
            "abc",
            "1 ",
            "1.0",
            "../1",
            "1' OR '1'='1",
            "9223372036854775808",
        ] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidId), "{text:?}");
        }
        assert!(serde_json::from_str::<UserId>("0").is_err());
        assert!(serde_json::from_str::<UserId>("\"1\"").is_err());
    }

    proptest! {
        #[test]
        fn an_id_survives_text_and_json(number in 1..=i64::MAX) {
            let id = UserId::try_from(number).unwrap();
            prop_assert_eq!(id.to_string().parse::<UserId>(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<UserId>(&json).unwrap(), id);
        }
    }
}
