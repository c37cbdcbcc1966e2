//! What people send to choose, read into what can be chosen.

use std::collections::HashSet;

use lyceum_chassis::http::{Fields, FromFields, Rule};
use lyceum_contracts::preferences::{Digest, UnknownDigest};
use lyceum_contracts::presence::{UnknownVisibility, Visibility};

use super::domain::Topic;
use super::rhythm::{QuietHours, Rhythm};
use super::store::Choices;
use crate::mail::Locale;

/// The body of `PUT /preferences`.
#[derive(Debug)]
pub(crate) struct Wishes {
    pub(super) choices: Choices,
    /// None for what it is now.
    pub(super) presence: Option<Visibility>,
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
    #[error("must be a time of the day such as 07:00")]
    Time,
    #[error("must be from -840 to 840 minutes")]
    Offset,
    #[error(transparent)]
    Digest(#[from] UnknownDigest),
    #[error(transparent)]
    Presence(#[from] UnknownVisibility),
}

impl Rule for WishRule {
    fn code(&self) -> &'static str {
        match self {
            Self::Locale => "unknown_locale",
            Self::Type => "unknown_type",
            Self::Inbox => "always_on",
            Self::Time => "malformed_time",
            Self::Offset => "out_of_range",
            Self::Digest(_) => "unknown_digest",
            Self::Presence(_) => "unknown_visibility",
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
        let rhythm = Rhythm::from_fields(fields);
        let presence = fields.optional("presence", |word: String| {
            Ok::<Visibility, WishRule>(word.parse()?)
        });
        let wishes = fields.list::<Wish>("items", 0..=100);
        let (locale, rhythm, presence, wishes) = (locale?, rhythm?, presence?, wishes?);
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
        let choices = Choices {
            locale,
            muted,
            rhythm,
            unsubscribe_token: None,
        };
        Some(Self { choices, presence })
    }
}

impl FromFields for Rhythm {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let digest = fields.optional("digest", |word: String| {
            Ok::<Digest, WishRule>(word.parse()?)
        });
        let time = |text: String| minute_of_day(&text).ok_or(WishRule::Time);
        let from = fields.optional("quiet_from", time);
        let until = fields.optional("quiet_until", time);
        let utc_offset_minutes = fields.optional("utc_offset_minutes", |minutes: i64| {
            let is_on_earth = (-840..=840).contains(&minutes);
            is_on_earth.then_some(minutes).ok_or(WishRule::Offset)
        });
        let (digest, from, until) = (digest?, from?, until?);
        let quiet = match (from, until) {
            (None, None) => None,
            (Some(from), Some(until)) if from != until => Some(QuietHours { from, until }),
            _ => {
                let detail = "must come with quiet_from, and be another time";
                fields.fault("quiet_until", "both_or_none", detail);
                return None;
            }
        };
        Some(Self {
            digest: digest.unwrap_or_default(),
            quiet,
            utc_offset_minutes: utc_offset_minutes?.unwrap_or_default(),
        })
    }
}

/// Minutes after midnight of `07:00`.
fn minute_of_day(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str, end: i64| {
        let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse::<i64>().ok().filter(|_| plain);
        number.filter(|number| *number < end)
    };
    Some(number(hour, 24)? * 60 + number(minute, 60)?)
}
