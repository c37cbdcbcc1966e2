//! Which part of an inbox somebody asks for.

use std::convert::Infallible;

use lyceum_chassis::http::{Fields, FromFields, Window};

/// The query of `GET /notifications`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Unread ones alone, read ones alone, or all.
    pub(crate) unread: Option<bool>,
    /// Which of them, newest first.
    pub(crate) window: Window,
}

impl FromFields for Listing {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let unread = fields.optional("unread", Ok::<bool, Infallible>);
        let window = Window::from_fields(fields);
        Some(Self {
            unread: unread?,
            window: window?,
        })
    }
}
