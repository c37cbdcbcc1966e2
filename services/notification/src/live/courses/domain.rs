//! Who may listen to a course. Pure.

use lyceum_contracts::course::{CourseMembers, CourseStatus};
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_contracts::role::Role;
use serde_json::Value;

/// Something that happened in a course and has no place in its sequence yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) course: CourseId,
    /// The name of the event that caused it.
    pub(crate) kind: &'static str,
    /// What is new.
    pub(crate) data: Value,
}

/// How somebody stands to a course, as the course service says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// They hold a place, or teach it.
    Member,
    /// They do neither; and who does neither is not to know of a draft.
    Stranger { is_draft: bool },
    /// There is no such course.
    NoCourse,
}

/// Whether somebody may listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Granted,
    /// The course is there, and not for them.
    Refused,
    /// It is not there, or they are not to know.
    NoSuchCourse,
}

impl Standing {
    /// How `user` stands to the course of which these are members; none if there is no course.
    pub(super) fn of(members: Option<&CourseMembers>, user: UserId) -> Self {
        match members {
            None => Self::NoCourse,
            Some(members) if members.items.contains(&user) => Self::Member,
            Some(members) => Self::Stranger {
                is_draft: members.status == CourseStatus::Draft,
            },
        }
    }

    /// Whether somebody with `role` may listen. Admins may, to any course there is.
    pub(super) const fn access(self, role: Role) -> Access {
        match (self, role) {
            (Self::Member, _) | (Self::Stranger { .. }, Role::Admin) => Access::Granted,
            (Self::Stranger { is_draft: false }, _) => Access::Refused,
            (Self::Stranger { is_draft: true } | Self::NoCourse, _) => Access::NoSuchCourse,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: i64) -> UserId {
        id.try_into().unwrap()
    }

    #[test]
    fn who_is_in_a_course_may_listen_and_so_may_admins() {
        let members = |status| CourseMembers {
            status,
            items: vec![person(1)],
        };
        let of = |status, user| Standing::of(Some(&members(status)), person(user));
        for (standing, student, admin) in [
            (
                of(CourseStatus::Published, 1),
                Access::Granted,
                Access::Granted,
            ),
            (
                of(CourseStatus::Published, 2),
                Access::Refused,
                Access::Granted,
            ),
            (of(CourseStatus::Draft, 1), Access::Granted, Access::Granted),
            (
                of(CourseStatus::Draft, 2),
                Access::NoSuchCourse,
                Access::Granted,
            ),
            (
                Standing::of(None, person(1)),
                Access::NoSuchCourse,
                Access::NoSuchCourse,
            ),
        ] {
            for role in [Role::Student, Role::Instructor] {
                assert_eq!(standing.access(role), student, "{standing:?} {role:?}");
            }
            assert_eq!(standing.access(Role::Admin), admin, "{standing:?}");
        }
    }
}
