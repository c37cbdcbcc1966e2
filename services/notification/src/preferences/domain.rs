//! What letters are about, as far as people may choose. Pure.

/// What letters are about; each is one type of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// Everything in one account's life that comes once.
    Account,
    /// What the safety of an account hangs on.
    Security,
    Enrolments,
    Announcements,
}

impl Topic {
    pub(crate) const ALL: [Self; 4] = [
        Self::Account,
        Self::Security,
        Self::Enrolments,
        Self::Announcements,
    ];

    /// The event it comes from; also its word in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "user.registered",
            Self::Security => "mailed_link.requested",
            Self::Enrolments => "enrolment.created",
            Self::Announcements => "announcement.posted",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == name)
    }

    /// Whether somebody can have no letters of it.
    pub(crate) const fn is_mutable(self) -> bool {
        match self {
            Self::Account | Self::Security => false,
            Self::Enrolments | Self::Announcements => true,
        }
    }

    /// Whether it has a line in the inbox.
    pub(crate) const fn is_in_inbox(self) -> bool {
        match self {
            Self::Account | Self::Security => false,
            Self::Enrolments | Self::Announcements => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_reads_back_from_its_word() {
        for topic in Topic::ALL {
            assert_eq!(Topic::named(topic.as_str()), Some(topic));
        }
        assert_eq!(Topic::named("course.published"), None);
    }
}
