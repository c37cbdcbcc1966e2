//! What a course is, who sees it, and the one step of its life: from draft to published.
//!
//! Pure: time and people are passed in. Who gets a place in it is decided in the enrolments.

use lyceum_chassis::auth::{CurrentUser, Permission};
use lyceum_chassis::http::Change;
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_contracts::role::Role;
use serde::Serialize;
use time::OffsetDateTime;

use super::text::{Capacity, CourseDescription, CourseTitle};

/// Writing and publishing courses of one's own.
#[derive(Debug)]
pub(crate) enum TeachCourses {}

impl Permission for TeachCourses {
    const ROLES: &'static [Role] = &[Role::Instructor, Role::Admin];
}

/// A course as somebody wants to write it; two wishes that serialise alike are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct NewCourse {
    pub(crate) title: CourseTitle,
    pub(crate) description: CourseDescription,
    /// None means no limit.
    pub(crate) capacity: Option<Capacity>,
}

/// What somebody wants a course to say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CoursePatch {
    pub(crate) title: Change<CourseTitle>,
    pub(crate) description: Change<CourseDescription>,
}

/// A course that has been written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) id: CourseId,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) stage: Stage,
    pub(crate) instructor_id: UserId,
    /// None means no limit.
    pub(crate) capacity: Option<u32>,
    /// Places taken; never more than `capacity`.
    pub(crate) enrolled: u32,
    /// Grows with every change to the course itself, not with the places taken.
    pub(crate) version: i64,
    pub(crate) created_at: OffsetDateTime,
}

/// Where a course is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Seen by its instructor and admins alone.
    Draft,
    /// Open to everybody since then.
    Published { at: OffsetDateTime },
}

/// What became of the wish to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Publication {
    /// It is public from now on.
    Published(Course),
    /// It was public already; nothing has changed.
    Unchanged(Course),
    /// This person is not to know that the draft exists.
    Hidden,
    /// It is public, and somebody else's.
    NotTheirs,
}

/// What somebody who wants to change or delete a course may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is theirs.
    Theirs,
    /// This person is not to know that the draft exists.
    Hidden,
    /// It is public, and somebody else's.
    NotTheirs,
}

impl Course {
    /// How `person` stands to the course.
    pub(crate) fn standing(&self, person: &CurrentUser) -> Standing {
        match (self.is_run_by(person), self.stage) {
            (true, _) => Standing::Theirs,
            (false, Stage::Draft) => Standing::Hidden,
            (false, Stage::Published { .. }) => Standing::NotTheirs,
        }
    }

    /// The next version, which says what the patch has; none when it says that already.
    pub(crate) fn patched(&self, patch: CoursePatch) -> Option<Self> {
        let mut next = self.clone();
        if let Change::Set(title) = patch.title {
            next.title = title.into_string();
        }
        if let Change::Set(description) = patch.description {
            next.description = description.into_string();
        }
        if next == *self {
            return None;
        }
        next.version += 1;
        Some(next)
    }

    /// Whether `person` may change the course.
    pub(crate) fn is_run_by(&self, person: &CurrentUser) -> bool {
        person.is_or_administers(self.instructor_id)
    }

    /// Whether `person` may know that the course exists.
    pub(crate) fn is_visible_to(&self, person: &CurrentUser) -> bool {
        match self.stage {
            Stage::Draft => self.is_run_by(person),
            Stage::Published { .. } => true,
        }
    }

    /// Opens the course to everybody.
    pub(crate) fn publish(self, person: &CurrentUser, now: OffsetDateTime) -> Publication {
        match (self.stage, self.is_run_by(person)) {
            (Stage::Draft, false) => Publication::Hidden,
            (Stage::Published { .. }, false) => Publication::NotTheirs,
            (Stage::Published { .. }, true) => Publication::Unchanged(self),
            (Stage::Draft, true) => Publication::Published(Self {
                stage: Stage::Published { at: now },
                version: self.version + 1,
                ..self
            }),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    pub(crate) fn person(id: i64, role: Role) -> CurrentUser {
        CurrentUser {
            id: id.try_into().unwrap(),
            role,
            session_id: 1,
            token_version: 1,
            expires_at: NOW,
        }
    }

    /// A draft of instructor 1.
    pub(crate) fn draft(capacity: Option<u32>, enrolled: u32) -> Course {
        Course {
            id: 7.try_into().unwrap(),
            title: "Logic".to_owned(),
            description: String::new(),
            stage: Stage::Draft,
            instructor_id: 1.try_into().unwrap(),
            capacity,
            enrolled,
            version: 1,
            created_at: NOW,
        }
    }

    /// A public course of instructor 1.
    pub(crate) fn published(capacity: Option<u32>, enrolled: u32) -> Course {
        Course {
            stage: Stage::Published { at: NOW },
            ..draft(capacity, enrolled)
        }
    }

    #[test]
    fn a_draft_is_seen_by_its_instructor_and_admins_alone() {
        let draft = draft(None, 0);
        assert!(draft.is_visible_to(&person(1, Role::Instructor)));
        assert!(draft.is_visible_to(&person(2, Role::Admin)));
        assert!(!draft.is_visible_to(&person(2, Role::Instructor)));
        assert!(!draft.is_visible_to(&person(2, Role::Student)));
        assert!(published(None, 0).is_visible_to(&person(2, Role::Student)));
    }

    #[test]
    fn publishing_makes_a_new_version_once() {
        let teacher = person(1, Role::Instructor);
        let Publication::Published(course) = draft(None, 0).publish(&teacher, NOW) else {
            panic!("its own instructor publishes");
        };
        assert_eq!(
            (course.stage, course.version),
            (Stage::Published { at: NOW }, 2)
        );
        let later = NOW + time::Duration::DAY;
        assert_eq!(
            course.clone().publish(&teacher, later),
            Publication::Unchanged(course)
        );
    }

    #[test]
    fn a_patch_that_changes_something_makes_a_new_version() {
        let keep = || CoursePatch {
            title: Change::Keep,
            description: Change::Keep,
        };
        let course = published(None, 3);
        let titled = |title: &str| CoursePatch {
            title: Change::Set(CourseTitle::parse(title.to_owned()).unwrap()),
            ..keep()
        };
        assert_eq!(course.patched(keep()), None);
        assert_eq!(course.patched(titled("Logic")), None);
        let changed = course.patched(titled("Sets")).unwrap();
        assert_eq!((changed.title.as_str(), changed.version), ("Sets", 2));
        let (title, version) = (course.title.clone(), course.version);
        assert_eq!(
            Course {
                title,
                version,
                ..changed
            },
            course
        );
    }

    #[test]
    fn anothers_draft_is_hidden_and_anothers_course_is_not_theirs() {
        let (teacher, other) = (person(1, Role::Instructor), person(2, Role::Instructor));
        assert_eq!(draft(None, 0).standing(&teacher), Standing::Theirs);
        assert_eq!(
            draft(None, 0).standing(&person(3, Role::Admin)),
            Standing::Theirs
        );
        assert_eq!(draft(None, 0).standing(&other), Standing::Hidden);
        assert_eq!(published(None, 0).standing(&other), Standing::NotTheirs);
    }

    #[test]
    fn anothers_draft_stays_hidden_and_anothers_course_is_forbidden() {
        let other = person(2, Role::Instructor);
        assert_eq!(draft(None, 0).publish(&other, NOW), Publication::Hidden);
        assert_eq!(
            published(None, 0).publish(&other, NOW),
            Publication::NotTheirs
        );
        let admin = person(3, Role::Admin);
        assert!(matches!(
            draft(None, 0).publish(&admin, NOW),
            Publication::Published(_)
        ));
    }
}
