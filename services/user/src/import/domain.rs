//! A line of an import, and how many of what are kept.

use std::fmt;

use lyceum_chassis::database::DbErr;
use lyceum_chassis::http::{Fields, FromFields};
use lyceum_contracts::problem::Fault;
use lyceum_contracts::role::Role;
use serde::{Deserialize, Serialize};

use crate::accounts::{Email, FullName, RoleRule};
use crate::bulk::Opening;

/// Lines of one chunk: what one statement writes, and one step deals with.
pub(super) const CHUNK: usize = 500;
/// Faulty lines of one import that are kept; all are counted.
pub(super) const MAX_FAULTS: u64 = 1_000;
/// Faults of one line that are kept; more unknown fields than this tell nobody anything new.
const MAX_FAULTS_OF_LINE: usize = 5;

/// Whom a line wants invited.
#[derive(Debug)]
pub(super) struct Invitee {
    email: Email,
    full_name: FullName,
    role: Role,
}

impl FromFields for Invitee {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", |text: String| Email::parse(&text));
        let full_name = fields.required("full_name", FullName::parse);
        let role = fields.optional("role", |text: String| Ok::<Role, RoleRule>(text.parse()?));
        Some(Self {
            email: email?,
            full_name: full_name?,
            role: role?.unwrap_or(Role::Student),
        })
    }
}

/// A line that was in order, on its way from the upload to the job.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StagedLine {
    /// Its number in the body, counted from 1.
    pub(super) line: u64,
    /// As typed.
    pub(super) email: String,
    pub(super) full_name: String,
    pub(super) role: Role,
}

impl StagedLine {
    pub(super) fn new(line: u64, invitee: Invitee) -> Self {
        Self {
            line,
            email: invitee.email.typed().to_owned(),
            full_name: invitee.full_name.into_inner(),
            role: invitee.role,
        }
    }

    /// The account it wants. An error when no release of ours has written the line.
    pub(super) fn opening(self) -> Result<Opening, DbErr> {
        let email = Email::parse(&self.email).map_err(unreadable)?;
        let full_name = FullName::parse(self.full_name).map_err(unreadable)?;
        Ok(Opening::by_invitation(email, full_name, self.role))
    }
}

fn unreadable(error: impl fmt::Display) -> DbErr {
    DbErr::Type(format!("a staged line {error}"))
}

/// Personal data stays out of whatever prints this.
impl fmt::Debug for StagedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StagedLine")
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// A line that makes no account.
#[derive(Debug, Clone)]
pub(super) struct Faulty {
    pub(super) line: u64,
    pub(super) errors: Vec<Fault>,
}

impl Faulty {
    /// It cannot be read.
    pub(super) fn unreadable(line: u64, mut errors: Vec<Fault>) -> Self {
        errors.truncate(MAX_FAULTS_OF_LINE);
        Self { line, errors }
    }

    /// Its address has an account.
    pub(super) fn taken(line: u64) -> Self {
        let taken = Fault {
            pointer: "#/email".to_owned(),
            detail: "the e-mail address has an account".to_owned(),
            code: "taken".to_owned(),
        };
        Self {
            line,
            errors: vec![taken],
        }
    }
}
