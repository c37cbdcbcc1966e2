//! What a letter is about, and to whom. Pure.

use lyceum_contracts::event::LinkPurpose;
use lyceum_contracts::ids::{CourseId, LinkId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::preferences::Topic;

/// A letter that is to be sent: to whom, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) recipient: UserId,
    pub(crate) content: Content,
}

/// One variant per template, with what is put into it besides the reader's name: ids, and what
/// was published. Kept as JSON, so a variant or field that has been released keeps its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "template", content = "input", rename_all = "snake_case")]
pub(crate) enum Content {
    /// The account is open.
    Welcome {},
    /// A new password may be chosen.
    ResetPassword { link_id: LinkId },
    /// An address is to be confirmed.
    ConfirmEmail { link_id: LinkId },
    /// The first password is to be chosen.
    AcceptInvitation { link_id: LinkId },
    /// There is a place in a course.
    Enrolment {
        course_id: CourseId,
        course_title: String,
    },
    /// What the platform tells everybody.
    Announcement { title: String, text: String },
}

impl Content {
    /// Templates of letters that can wait, and go with others to whoever wants them together: those
    /// that can be turned off.
    pub(super) const GATHERED: [&str; 2] = ["enrolment", "announcement"];

    /// The letter that brings a link.
    pub(crate) const fn of_link(purpose: LinkPurpose, link_id: LinkId) -> Self {
        match purpose {
            LinkPurpose::ResetPassword => Self::ResetPassword { link_id },
            LinkPurpose::ConfirmEmail => Self::ConfirmEmail { link_id },
            LinkPurpose::AcceptInvitation => Self::AcceptInvitation { link_id },
        }
    }

    /// The name of its template.
    pub(crate) const fn template(&self) -> &'static str {
        match self {
            Self::Welcome {} => "welcome",
            Self::ResetPassword { .. } => "reset_password",
            Self::ConfirmEmail { .. } => "confirm_email",
            Self::AcceptInvitation { .. } => "accept_invitation",
            Self::Enrolment { .. } => "enrolment",
            Self::Announcement { .. } => "announcement",
        }
    }

    /// The link it brings, whose token is asked for when it is written.
    pub(super) const fn link(&self) -> Option<LinkId> {
        match self {
            Self::ResetPassword { link_id }
            | Self::ConfirmEmail { link_id }
            | Self::AcceptInvitation { link_id } => Some(*link_id),
            Self::Welcome {} | Self::Enrolment { .. } | Self::Announcement { .. } => None,
        }
    }

    /// Under what people choose whether they want it.
    pub(super) const fn topic(&self) -> Topic {
        match self {
            Self::Welcome {} => Topic::Account,
            Self::ResetPassword { .. }
            | Self::ConfirmEmail { .. }
            | Self::AcceptInvitation { .. } => Topic::Security,
            Self::Enrolment { .. } => Topic::Enrolments,
            Self::Announcement { .. } => Topic::Announcements,
        }
    }

    /// As it is kept beside the template's name.
    pub(super) fn input(&self) -> Value {
        let kept = serde_json::to_value(self).unwrap_or_default();
        kept.get("input").cloned().unwrap_or_else(|| json!({}))
    }

    /// As it was kept; `None` when this release knows no such letter.
    pub(super) fn kept(template: &str, input: &Value) -> Option<Self> {
        serde_json::from_value(json!({ "template": template, "input": input })).ok()
    }

    /// One of each, made up, for people who look at templates.
    pub(super) fn samples() -> Option<[Self; 6]> {
        let link_id = LinkId::try_from(1).ok()?;
        Some([
            Self::Welcome {},
            Self::ResetPassword { link_id },
            Self::ConfirmEmail { link_id },
            Self::AcceptInvitation { link_id },
            Self::Enrolment {
                course_id: CourseId::try_from(1).ok()?,
                course_title: "Logic & Rhetoric".to_owned(),
            },
            Self::Announcement {
                title: "Maintenance on Sunday".to_owned(),
                text: "Lyceum rests from 8 to 9.\n\nThank you for your patience.".to_owned(),
            },
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_reads_back_from_its_template_and_its_input() {
        for content in Content::samples().unwrap() {
            let read = Content::kept(content.template(), &content.input());
            assert_eq!(read, Some(content));
        }
    }

    #[test]
    fn what_can_be_turned_off_can_wait_and_nothing_else() {
        for content in Content::samples().unwrap() {
            let can_wait = Content::GATHERED.contains(&content.template());
            assert_eq!(can_wait, content.topic().is_mutable());
        }
    }

    #[test]
    fn a_letter_of_another_release_is_none() {
        assert_eq!(Content::kept("birthday", &json!({})), None);
        assert_eq!(Content::kept("enrolment", &json!({"course_id": 3})), None);
    }
}
