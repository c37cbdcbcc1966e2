//! What happened: facts one service records and the others are told.
//!
//! An event is written in the transaction that makes it true (crate `lyceum-outbox`), arrives at
//! least once, and has its effect once because the receiver remembers `event_id`. Events carry
//! ids and what was published, never an address, a name or a token: personal data stays with its
//! owner.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::ids::{CourseId, EnrolmentId, UserId};
use crate::words::words;

/// The most events one `POST /internal/events` may carry.
pub const MAX_BATCH: usize = 100;

/// One event on its way, with what is needed to deliver and trace it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Envelope {
    /// Unique for ever; a repeat is accepted and does nothing.
    pub event_id: Uuid,
    /// When it became true (UTC).
    #[serde(with = "time::serde::rfc3339")]
    pub occurred_at: OffsetDateTime,
    /// W3C trace context of the request that caused it, so that the effect joins its trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened, named `entity.past_participle` in the field `type`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "data")]
pub enum Event {
    /// Somebody may sign in to a new account: they opened it, or accepted the invitation to it.
    #[serde(rename = "user.registered")]
    UserRegistered {
        /// The new account.
        user_id: UserId,
    },
    /// What an account shows has changed: its name or its role.
    #[serde(rename = "user.updated")]
    UserUpdated {
        /// The account.
        user_id: UserId,
    },
    /// An account was deleted: whoever keeps something of the person erases it.
    #[serde(rename = "user.deleted")]
    UserDeleted {
        /// The account that was.
        user_id: UserId,
    },
    /// Somebody is to be sent a link that counts once. The token in it is made by the owner of the
    /// link when the letter is written, and is nowhere before.
    #[serde(rename = "mailed_link.requested")]
    MailedLinkRequested {
        /// Whom the letter is about; where it goes, the user service knows.
        user_id: UserId,
        /// The link, as the user service numbers it.
        link_id: i64,
        /// What following it does.
        purpose: LinkPurpose,
    },
    /// An announcement of the platform has reached this person's turn.
    #[serde(rename = "announcement.posted")]
    AnnouncementPosted {
        /// The announcement, as the user service numbers it.
        announcement_id: i64,
        /// Who is told.
        user_id: UserId,
        /// One line.
        title: String,
        /// What it says.
        text: String,
    },
    /// Somebody has a place in a course.
    #[serde(rename = "enrolment.created")]
    EnrolmentCreated {
        /// The registration.
        enrolment_id: EnrolmentId,
        /// Who enrolled.
        user_id: UserId,
        /// Where.
        course_id: CourseId,
        /// The course's title when it happened.
        course_title: String,
    },
    /// Somebody has given up a place in a course.
    #[serde(rename = "enrolment.dropped")]
    EnrolmentDropped {
        /// The registration.
        enrolment_id: EnrolmentId,
        /// Who was enrolled.
        user_id: UserId,
        /// Where.
        course_id: CourseId,
    },
    /// What a course says of itself has changed: its title or its description.
    #[serde(rename = "course.updated")]
    CourseUpdated {
        /// The course.
        course_id: CourseId,
        /// Its title since.
        course_title: String,
        /// Its version since: who has a newer one has read it already.
        version: i64,
    },
    /// A course was deleted: whoever keeps something of it erases it.
    #[serde(rename = "course.deleted")]
    CourseDeleted {
        /// The course that was.
        course_id: CourseId,
    },
}

/// The text names no purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a purpose is reset_password, confirm_email or accept_invitation")]
pub struct UnknownPurpose;

words! {
    /// What following a mailed link does.
    LinkPurpose or UnknownPurpose {
        /// A new password is chosen.
        ResetPassword = "reset_password",
        /// A new address is confirmed.
        ConfirmEmail = "confirm_email",
        /// The first password of an invited account is chosen.
        AcceptInvitation = "accept_invitation",
    }
}

impl Event {
    /// The stable name in `type`, in the outbox and in spans.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UserRegistered { .. } => "user.registered",
            Self::UserUpdated { .. } => "user.updated",
            Self::UserDeleted { .. } => "user.deleted",
            Self::MailedLinkRequested { .. } => "mailed_link.requested",
            Self::AnnouncementPosted { .. } => "announcement.posted",
            Self::EnrolmentCreated { .. } => "enrolment.created",
            Self::EnrolmentDropped { .. } => "enrolment.dropped",
            Self::CourseUpdated { .. } => "course.updated",
            Self::CourseDeleted { .. } => "course.deleted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_reads_as_it_is_documented() {
        let json = serde_json::json!({
            "event_id": "018f3b52-6f9a-7000-8000-000000000001",
            "occurred_at": "2026-01-02T03:04:05Z",
            "type": "enrolment.created",
            "data": {"enrolment_id": 1, "user_id": 2, "course_id": 3, "course_title": "Logic"},
        });
        let envelope: Envelope = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(envelope.event.name(), "enrolment.created");
        assert_eq!(serde_json::to_value(&envelope).unwrap(), json);
    }
}
