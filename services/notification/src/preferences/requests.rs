//! What people send to choose, read into what can be chosen.

use std::collections::HashSet;

use lyceum_chassis::http::{Fields, FromFields, Rule};

use super::domain::Topic;
use crate::mail::Locale;

/// The body of `PUT /preferences`.
#[derive(Debug)]
pub(crate) struct Wishes {
    pub(super) locale: Option<Locale>,
    pub(super) muted: HashSet<Topic>,
}

/// One item of it.
#[derive(Debug)]
struct Wish {
    topic: Topic,
    mail: bool,
}

#[derive(Debug, thiserror::Error)]
enum WishRule {
    #[error("must be en or de")]
    Locale,
    #[error("is no type of event that letters are sent of")]
    Type,
    #[error("cannot be turned off: the inbox has everything")]
    Inbox,
}

impl Rule for WishRule {
    fn code(&self) -> &'static str {
        match self {
            Self::Locale => "unknown_locale",
            Self::Type => "unknown_type",
            Self::Inbox => "always_on",
        }
    }
}

impl FromFields for Wish {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let topic = fields.required("type", |name: String| {
            Topic::named(&name).ok_or(WishRule::Type)
        });
        let inbox = fields.optional(
            "inbox",
            |inbox: bool| {
                if inbox { Ok(()) } else { Err(WishRule::Inbox) }
            },
        );
        let mail = fields.required("mail", Ok::<bool, std::convert::Infallible>);
        let (topic, _inbox, mail) = (topic?, inbox?, mail?);
        if !mail && !topic.is_mutable() {
            let detail = format!("letters about {} cannot be turned off", topic.as_str());
            fields.fault("mail", "cannot_be_muted", detail);
            return None;
        }
        Some(Self { topic, mail })
    }
}

impl FromFields for Wishes {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let locale = fields.optional("locale", |name: String| {
            Locale::named(&name).ok_or(WishRule::Locale)
        });
        let wishes = fields.list::<Wish>("items", 0..=100);
        let (locale, wishes) = (locale?, wishes?);
        let (mut seen, mut muted) = (HashSet::new(), HashSet::new());
        for wish in wishes {
            if !seen.insert(wish.topic) {
                let detail = format!("name {} more than once", wish.topic.as_str());
                fields.fault("items", "repeated", detail);
                return None;
            }
            if !wish.mail {
                muted.insert(wish.topic);
            }
        }
        Some(Self { locale, muted })
    }
}
