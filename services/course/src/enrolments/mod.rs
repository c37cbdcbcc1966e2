//! Enrolments: who holds a place in which course, and who has given one up.
//!
//! A place is given under the course's lock, together with the count of places taken and the event
//! that tells of it. A person has at most one active enrolment per course.

pub(crate) mod commands;
pub(crate) mod domain;
pub(crate) mod handlers;
pub(crate) mod members;
pub(crate) mod persons;
pub(crate) mod queries;
pub(crate) mod store;
