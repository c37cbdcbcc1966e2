//! Who is told what when something happens. Pure.

use std::collections::HashSet;
use std::time::Duration;

use lyceum_contracts::event::{Envelope, Event};
use lyceum_contracts::ids::{CourseId, LinkId, NotificationId, UserId};
use lyceum_contracts::notification::Notification;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::live::courses::domain::Happening;
use crate::mail::{Content, Letter};

/// The kinds of notifications there are, by which an inbox can be filtered.
pub(crate) const KINDS: [&str; 3] = ["announcement.posted", BROADCAST, "enrolment.created"];

/// What no event causes but an admin of this service.
pub(crate) const BROADCAST: &str = "broadcast.posted";

/// An announcement is news for a term at most; who has not read it by then need not any more.
const ANNOUNCEMENT_LASTS: Duration = Duration::from_hours(24 * 180);

/// What one event does here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// Somebody finds a notification in the inbox, and is sent a letter with the same news.
    Tell(Notice, Letter),
    /// Somebody is sent a letter; the inbox says nothing.
    Write(Letter),
    /// Everybody who listens to a course hears of it; no inbox does.
    TellCourse(Happening),
    /// Nothing of the person stays.
    Erase(UserId),
    /// Nothing of the course stays.
    EraseCourse(CourseId),
    /// The event is of no interest here; it counts as taken in.
    Nothing,
}

/// A notification that has no place in a sequence yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) recipient: UserId,
    /// The name of the event that caused it, or [`BROADCAST`].
    pub(crate) kind: &'static str,
    /// One line.
    pub(crate) title: String,
    /// A sentence or two.
    pub(crate) body: String,
    /// Ids a client can link to.
    pub(crate) data: Value,
    /// A newer notice with the same key takes the place of this one while it waits to be read.
    pub(crate) collapse_key: Option<String>,
    /// For how long it is shown; for ever if nothing is said.
    pub(crate) lasts: Option<Duration>,
}

impl Notice {
    /// What its recipient sees, once it has a place.
    pub(crate) fn placed(self, id: NotificationId, seq: i64, now: OffsetDateTime) -> Notification {
        Notification {
            id,
            seq,
            kind: self.kind.to_owned(),
            title: self.title,
            body: self.body,
            data: self.data,
            created_at: now,
            read_at: None,
            archived_at: None,
            expires_at: self.lasts.map(|lasts| now + lasts),
        }
    }
}

/// How many of these events, from the first on, have their effects in one transaction: what tells
/// people something, until somebody is told what may replace what they have just been told. What
/// erases, and what is told a course, has one to itself.
pub(super) fn together(events: &[Envelope]) -> usize {
    let mut told = HashSet::new();
    let joins = |envelope: &&Envelope| match Consequence::of(&envelope.event) {
        Consequence::Write(_) | Consequence::Nothing => true,
        Consequence::Tell(notice, _) => {
            told.insert(notice.recipient) || notice.collapse_key.is_none()
        }
        Consequence::Erase(_) | Consequence::TellCourse(_) | Consequence::EraseCourse(_) => false,
    };
    events.iter().take_while(joins).count().max(1)
}

impl Consequence {
    /// The table: one line per kind of event.
    pub(crate) fn of(event: &Event) -> Self {
        let letter = |recipient, content| Letter { recipient, content };
        let notice = |recipient, title, body: &str, data| Notice {
            recipient,
            kind: event.name(),
            title,
            body: body.to_owned(),
            data,
            collapse_key: None,
            lasts: None,
        };
        let tell = |notice: Notice, content| {
            let letter = letter(notice.recipient, content);
            Self::Tell(notice, letter)
        };
        match event {
            Event::UserRegistered { user_id } => Self::Write(letter(*user_id, Content::Welcome {})),
            Event::UserDeleted { user_id } => Self::Erase(*user_id),
            // Names and roles are asked for when they are needed; whoever gives up a place knows it.
            Event::UserUpdated { .. } | Event::EnrolmentDropped { .. } => Self::Nothing,
            Event::CourseUpdated {
                course_id,
                course_title,
                version,
            } => Self::TellCourse(Happening {
                course: *course_id,
                kind: event.name(),
                data: json!({ "title": course_title, "version": version }),
            }),
            Event::CourseDeleted { course_id } => Self::EraseCourse(*course_id),
            Event::MailedLinkRequested {
                user_id,
                link_id,
                purpose,
            } => match LinkId::try_from(*link_id) {
                Ok(link_id) => Self::Write(letter(*user_id, Content::of_link(*purpose, link_id))),
                // Nobody numbers a link so.
                Err(_) => Self::Nothing,
            },
            Event::AnnouncementPosted {
                announcement_id,
                user_id,
                title,
                text,
            } => tell(
                Notice {
                    // Told again it has been corrected.
                    collapse_key: Some(format!("announcement:{announcement_id}")),
                    lasts: Some(ANNOUNCEMENT_LASTS),
                    ..notice(
                        *user_id,
                        title.clone(),
                        text,
                        json!({ "announcement_id": announcement_id }),
                    )
                },
                Content::Announcement {
                    title: title.clone(),
                    text: text.clone(),
                },
            ),
            Event::EnrolmentCreated {
                enrolment_id,
                user_id,
                course_id,
                course_title,
            } => tell(
                notice(
                    *user_id,
                    format!("You are enrolled in {course_title}"),
                    "The course is now among your courses.",
                    json!({ "course_id": course_id, "enrolment_id": enrolment_id }),
                ),
                Content::Enrolment {
                    course_id: *course_id,
                    course_title: course_title.clone(),
                },
            ),
        }
    }
}

/// Whose place in which course has changed: what was known of it is known no more.
pub(super) const fn changed_place(event: &Event) -> Option<(CourseId, UserId)> {
    match event {
        Event::EnrolmentCreated {
            course_id, user_id, ..
        }
        | Event::EnrolmentDropped {
            course_id, user_id, ..
        } => Some((*course_id, *user_id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use lyceum_contracts::event::LinkPurpose;
    use lyceum_outbox::intake::check;
    use proptest::prelude::*;

    use super::*;

    fn enrolment(course_title: &str) -> Event {
        Event::EnrolmentCreated {
            enrolment_id: 1.try_into().unwrap(),
            user_id: 2.try_into().unwrap(),
            course_id: 3.try_into().unwrap(),
            course_title: course_title.to_owned(),
        }
    }

    #[test]
    fn an_enrolment_is_told_to_who_enrolled_with_ids_to_link_to() {
        let Consequence::Tell(notice, letter) = Consequence::of(&enrolment("Logic")) else {
            panic!("somebody is told");
        };
        assert_eq!(notice.recipient.get(), 2);
        assert_eq!(notice.kind, "enrolment.created");
        assert_eq!(notice.title, "You are enrolled in Logic");
        assert_eq!(notice.data, json!({"course_id": 3, "enrolment_id": 1}));
        assert_eq!(letter.recipient, notice.recipient);
        let content = Content::Enrolment {
            course_id: 3.try_into().unwrap(),
            course_title: "Logic".to_owned(),
        };
        assert_eq!(letter.content, content);
        assert_eq!((notice.collapse_key, notice.lasts), (None, None));
        assert!(KINDS.contains(&notice.kind));
    }

    #[test]
    fn a_registration_is_answered_by_a_letter() {
        let user_id = 2.try_into().unwrap();
        let registration = Event::UserRegistered { user_id };
        let welcome = Letter {
            recipient: user_id,
            content: Content::Welcome {},
        };
        assert_eq!(Consequence::of(&registration), Consequence::Write(welcome));
    }

    #[test]
    fn a_change_of_a_course_is_told_to_the_course_and_to_nobody_by_name() {
        let event = Event::CourseUpdated {
            course_id: 3.try_into().unwrap(),
            course_title: "Sets".to_owned(),
            version: 4,
        };
        let happening = Happening {
            course: 3.try_into().unwrap(),
            kind: "course.updated",
            data: json!({"title": "Sets", "version": 4}),
        };
        assert_eq!(Consequence::of(&event), Consequence::TellCourse(happening));
        assert_eq!(changed_place(&event), None);
    }

    #[test]
    fn a_place_taken_or_given_up_is_to_be_asked_about_anew() {
        let (course_id, user_id) = (3.try_into().unwrap(), 2.try_into().unwrap());
        let dropped = Event::EnrolmentDropped {
            enrolment_id: 1.try_into().unwrap(),
            user_id,
            course_id,
        };
        assert_eq!(Consequence::of(&dropped), Consequence::Nothing);
        for event in [dropped, enrolment("Logic")] {
            assert_eq!(changed_place(&event), Some((course_id, user_id)));
        }
    }

    #[test]
    fn a_mailed_link_is_for_a_letter_alone() {
        let requested = |link_id| {
            Consequence::of(&Event::MailedLinkRequested {
                user_id: 2.try_into().unwrap(),
                link_id,
                purpose: LinkPurpose::ConfirmEmail,
            })
        };
        let letter = Letter {
            recipient: 2.try_into().unwrap(),
            content: Content::ConfirmEmail {
                link_id: 7.try_into().unwrap(),
            },
        };
        assert_eq!(requested(7), Consequence::Write(letter));
        assert_eq!(requested(0), Consequence::Nothing);
    }

    #[test]
    fn an_announcement_is_told_as_it_was_written() {
        let posted = |text: &str| Event::AnnouncementPosted {
            announcement_id: 7,
            user_id: 2.try_into().unwrap(),
            title: "Maintenance".to_owned(),
            text: text.to_owned(),
        };
        let event = posted("On Sunday.\n\tAll day.");
        let Consequence::Tell(notice, letter) = Consequence::of(&event) else {
            panic!("somebody is told");
        };
        assert_eq!((notice.recipient.get(), notice.kind), (2, event.name()));
        assert_eq!(notice.title, "Maintenance");
        assert_eq!(notice.body, "On Sunday.\n\tAll day.");
        assert_eq!(notice.data, json!({"announcement_id": 7}));
        assert_eq!(letter.content.template(), "announcement");
        assert_eq!(notice.collapse_key.as_deref(), Some("announcement:7"));
        assert_eq!(notice.lasts, Some(ANNOUNCEMENT_LASTS));
        assert!(KINDS.contains(&notice.kind));
    }

    #[test]
    fn events_go_together_until_one_may_replace_what_another_tells_or_needs_to_be_alone() {
        let envelope = |event| Envelope {
            event_id: uuid::Uuid::nil(),
            occurred_at: time::macros::datetime!(2026-01-02 03:04:05 UTC),
            traceparent: None,
            event,
        };
        let person = |id: i64| id.try_into().unwrap();
        let posted = |user| Event::AnnouncementPosted {
            announcement_id: 7,
            user_id: person(user),
            title: "Maintenance".to_owned(),
            text: "On Sunday.".to_owned(),
        };
        let registered = Event::UserRegistered { user_id: person(2) };
        let deleted = Event::UserDeleted { user_id: person(2) };
        for (events, count) in [
            (
                vec![
                    registered.clone(),
                    enrolment("Logic"),
                    enrolment("Sets"),
                    posted(3),
                ],
                4,
            ),
            (vec![posted(2), enrolment("Logic"), posted(3), posted(2)], 3),
            (vec![enrolment("Logic"), posted(2)], 1),
            (vec![registered, deleted.clone(), posted(3)], 1),
            (vec![deleted.clone(), deleted], 1),
        ] {
            let events: Vec<_> = events.into_iter().map(envelope).collect();
            assert_eq!(together(&events), count, "{events:?}");
        }
    }

    proptest! {
        #[test]
        fn a_title_that_is_taken_in_is_shown_as_it_was_sent(title in ".{0,40}") {
            let event = enrolment(&title);
            if check(&event).is_ok() {
                let Consequence::Tell(notice, _) = Consequence::of(&event) else {
                    panic!("somebody is told");
                };
                prop_assert_eq!(notice.title, format!("You are enrolled in {title}"));
            } else {
                prop_assert!(title.is_empty() || title.contains(char::is_control));
            }
        }
    }
}
