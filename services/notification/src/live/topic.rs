//! What has a sequence that streams follow.

use std::fmt;
use std::str::FromStr;

use lyceum_contracts::ids::{CourseId, InvalidId, UserId};

/// Whose sequence it is. As text `7` or `c3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Topic {
    /// What one person was told, and did with it.
    Person(UserId),
    /// What has happened in a course, for everybody in it.
    Course(CourseId),
}

impl Topic {
    /// How many of the last entries are kept while somebody watches: a stream that is further
    /// behind reads. A course has many streams, which had better not all read.
    pub(super) const fn keeps(self) -> usize {
        match self {
            Self::Person(_) => 8,
            Self::Course(_) => 128,
        }
    }

    /// The course, if it is one.
    pub(super) const fn course(self) -> Option<CourseId> {
        match self {
            Self::Person(_) => None,
            Self::Course(course) => Some(course),
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(user) => write!(f, "{user}"),
            Self::Course(course) => write!(f, "c{course}"),
        }
    }
}

impl FromStr for Topic {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.strip_prefix('c') {
            None => text.parse().map(Self::Person),
            Some(course) => course.parse().map(Self::Course),
        }
    }
}
