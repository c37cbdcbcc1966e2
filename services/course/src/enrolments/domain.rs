//! Who gets a place in a course.
//!
//! Whether somebody is enrolled already is not asked here: that is a fact, looked up first.

use lyceum_chassis::auth::CurrentUser;

use crate::catalogue::domain::{Course, Stage};

/// What became of the wish to enrol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// There is a place.
    Admitted,
    /// This person is not to know that the draft exists.
    Hidden,
    /// This person sees the draft, and nobody enrols in one.
    NotPublished,
    /// Every place is taken.
    Full,
}

impl Course {
    /// Whether `person`, who is not enrolled, gets a place now.
    pub(crate) fn admit(&self, person: &CurrentUser) -> Admission {
        match self.stage {
            Stage::Draft if self.is_visible_to(person) => Admission::NotPublished,
            Stage::Draft => Admission::Hidden,
            Stage::Published { .. } if self.is_full() => Admission::Full,
            Stage::Published { .. } => Admission::Admitted,
        }
    }

    fn is_full(&self) -> bool {
        self.capacity
            .is_some_and(|capacity| self.enrolled >= capacity)
    }
}

#[cfg(test)]
mod tests {
    use lyceum_contracts::role::Role;
    use proptest::prelude::*;

    use super::*;
    use crate::catalogue::domain::tests::{draft, person, published};

    #[test]
    fn a_draft_admits_nobody_and_shows_itself_to_those_who_run_it() {
        let draft = draft(None, 0);
        assert_eq!(draft.admit(&person(9, Role::Student)), Admission::Hidden);
        assert_eq!(draft.admit(&person(9, Role::Instructor)), Admission::Hidden);
        assert_eq!(
            draft.admit(&person(1, Role::Instructor)),
            Admission::NotPublished
        );
        assert_eq!(
            draft.admit(&person(9, Role::Admin)),
            Admission::NotPublished
        );
    }

    #[test]
    fn a_course_without_a_limit_is_never_full() {
        let course = published(None, u32::MAX);
        assert_eq!(course.admit(&person(9, Role::Student)), Admission::Admitted);
    }

    proptest! {
        #[test]
        fn a_course_admits_exactly_as_many_as_it_has_places(capacity in 1..50_u32, wishes in 0..100_u32) {
            let mut course = published(Some(capacity), 0);
            for wish in 0..wishes {
                if course.admit(&person(i64::from(wish) + 1, Role::Student)) == Admission::Admitted {
                    course.enrolled += 1;
                }
            }
            prop_assert_eq!(course.enrolled, wishes.min(capacity));
        }
    }
}
