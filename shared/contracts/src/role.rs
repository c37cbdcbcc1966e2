//! What a person may be on the platform.

use crate::words::words;

/// The text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is student, instructor or admin")]
pub struct UnknownRole;

words! {
    /// The role claim of an access token; ordered by nothing, each permission names its roles.
    Role or UnknownRole {
        /// Takes courses.
        Student = "student",
        /// Writes and publishes courses of their own.
        Instructor = "instructor",
        /// Runs the platform.
        Admin = "admin",
    }
}
