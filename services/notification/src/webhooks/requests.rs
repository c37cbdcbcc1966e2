//! What admins send about receivers, read into what can be.

use lyceum_chassis::http::{Change, Fields, FromFields, Rule};
use lyceum_client::outside::{Reach, Target, UnfitTarget};
use lyceum_contracts::webhook::EventKind;

/// The body of `POST /webhooks`.
#[derive(Debug)]
pub(crate) struct Registration {
    pub(super) url: String,
    pub(super) events: Vec<EventKind>,
}

/// The body of `PATCH /webhooks/{id}`.
#[derive(Debug)]
pub(crate) struct Patch {
    pub(super) url: Change<String>,
    pub(super) events: Change<Vec<EventKind>>,
    pub(super) enabled: Change<bool>,
}

#[derive(Debug, thiserror::Error)]
enum EventsRule {
    #[error("must name at least one kind of event")]
    None,
    #[error("must name each kind of event once")]
    Repeated,
    #[error("must be among {}", names())]
    Unknown,
}

fn names() -> String {
    let names: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    names.join(", ")
}

impl Rule for EventsRule {
    fn code(&self) -> &'static str {
        match self {
            Self::None => "too_few",
            Self::Repeated => "repeated",
            Self::Unknown => "unknown_event",
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct UrlRule(#[from] UnfitTarget);

impl Rule for UrlRule {
    fn code(&self) -> &'static str {
        self.0.code()
    }
}

fn events(names: Vec<String>) -> Result<Vec<EventKind>, EventsRule> {
    let mut kinds = Vec::new();
    for name in names {
        let kind = name.parse().map_err(|_| EventsRule::Unknown)?;
        if kinds.contains(&kind) {
            return Err(EventsRule::Repeated);
        }
        kinds.push(kind);
    }
    if kinds.is_empty() {
        return Err(EventsRule::None);
    }
    Ok(kinds)
}

/// As far as anybody may go; how far this process does is looked at by [`within`].
fn url(text: String) -> Result<String, UrlRule> {
    Target::parse(&text, Reach::Anywhere)?;
    Ok(text)
}

/// Whether an address may be sent to from here; as it is kept.
pub(super) fn within(text: &str, reach: Reach) -> Result<String, UnfitTarget> {
    Target::parse(text, reach).map(|target| target.as_str().to_owned())
}

impl FromFields for Registration {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let url = fields.required("url", url);
        let events = fields.required("events", events);
        Some(Self {
            url: url?,
            events: events?,
        })
    }
}

impl FromFields for Patch {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let url = fields.change("url", url);
        let events = fields.change("events", events);
        let enabled = fields.change("enabled", Ok::<bool, std::convert::Infallible>);
        Some(Self {
            url: url?,
            events: events?,
            enabled: enabled?,
        })
    }
}
