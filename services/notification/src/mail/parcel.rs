//! What is sent as one letter.

use lyceum_contracts::user::Contact;

use super::letter::Content;
use super::templates;
use crate::entity::mail::Model;
use crate::preferences::store::Choices;
use crate::schedule::Outcome;

/// A letter that has been claimed, with those that are gathered to it, and what is known of it: why
/// there is nothing to send, or what it takes.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) mail: Model,
    pub(super) gathered: Vec<Model>,
    pub(super) ready: Result<Ready, Outcome>,
}

impl Parcel {
    /// All of the letters in it.
    pub(super) fn all(&self) -> impl Iterator<Item = &Model> {
        std::iter::once(&self.mail).chain(&self.gathered)
    }

    /// As [`Self::all`], of a parcel that is done with.
    pub(super) fn into_all(self) -> impl Iterator<Item = Model> {
        std::iter::once(self.mail).chain(self.gathered)
    }
}

/// What it takes to write a letter.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) content: Content,
    /// What else is said in the same letter.
    pub(super) gathered: Vec<Content>,
    /// How to reach its reader; none when nobody has the account, and not asked for when it brings
    /// a link.
    pub(super) contact: Option<Contact>,
    pub(super) choices: Choices,
}

impl Ready {
    /// The name of the template, for operators.
    pub(super) fn template(&self) -> &'static str {
        if self.gathered.is_empty() {
            self.content.template()
        } else {
            templates::DIGEST
        }
    }
}
