//! Which letters somebody asks for, or which messages of a webhook.

use lyceum_chassis::http::{Fields, FromFields, Rule, Window};
use lyceum_contracts::delivery::{DeliveryState, UnknownState};

/// The query of `GET /deliveries`, and of `GET /webhooks/{id}/deliveries`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listing {
    /// Those in this state alone.
    pub(crate) state: Option<DeliveryState>,
    /// Which of them, newest first.
    pub(crate) window: Window,
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct StateRule(#[from] UnknownState);

impl Rule for StateRule {
    fn code(&self) -> &'static str {
        "unknown_state"
    }
}

impl FromFields for Listing {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let state = fields.optional("state", |text: String| {
            Ok::<DeliveryState, StateRule>(text.parse()?)
        });
        let window = Window::from_fields(fields);
        Some(Self {
            state: state?,
            window: window?,
        })
    }
}
