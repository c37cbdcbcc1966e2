//! Where the links in letters lead: to the page people use, or back to this service.
//!
//! The base URLs are settings. What stands in a request, its `Host` included, never reaches a
//! letter.

use std::sync::Arc;
use std::time::Duration;

use lyceum_contracts::event::LinkPurpose;
use lyceum_contracts::mailed_link::MailedLinkToken;
use time::OffsetDateTime;

use super::letter::Content;
use super::settings::MailSettings;
use super::templates::Links;
use crate::preferences::unsubscribe;

/// The base URLs; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Urls {
    page: Arc<str>,
    api: Arc<str>,
}

impl Urls {
    pub(super) fn new(settings: &MailSettings) -> Self {
        Self {
            page: settings.page_url.as_str().into(),
            api: settings.api_url.as_str().into(),
        }
    }

    /// Where somebody goes from a letter that brings no link of its own.
    pub(super) fn action(&self, content: &Content) -> String {
        let page = &self.page;
        match content {
            Content::Enrolment { course_id, .. } => format!("{page}/courses/{course_id}"),
            _ => page.to_string(),
        }
    }

    /// The links of a letter that brings none of its own, and says what is `gathered` too.
    pub(super) fn plain(
        &self,
        content: &Content,
        gathered: &[Content],
        unsubscribe_token: Option<&str>,
    ) -> Links {
        let mut topics = vec![content.topic()];
        for content in gathered {
            if !topics.contains(&content.topic()) {
                topics.push(content.topic());
            }
        }
        let unsubscribe = unsubscribe_token
            .filter(|_| topics.iter().all(|topic| topic.is_mutable()))
            .map(|token| unsubscribe::link(&self.api, token, &topics));
        Links {
            action: self.action(content),
            expires_at: None,
            unsubscribe,
        }
    }

    /// The links of a letter that brings one with a token. The token stands behind a `#`, which no
    /// browser sends: it is in no log of a server and in no `Referer`.
    pub(super) fn secret(&self, content: &Content, link: &MailedLinkToken) -> Links {
        let (page, token) = (&self.page, &link.token);
        let path = match content {
            Content::ResetPassword { .. } => "reset-password",
            Content::ConfirmEmail { .. } => "confirm-email",
            _ => "accept-invitation",
        };
        Links {
            action: format!("{page}/{path}#token={token}"),
            expires_at: Some(link.expires_at),
            unsubscribe: None,
        }
    }

    /// The links of a letter nobody is sent.
    pub(super) fn sample(&self, content: &Content, now: OffsetDateTime) -> Links {
        if content.link().is_none() {
            return self.plain(content, &[], Some("0"));
        }
        let nothing = String::new;
        let link = MailedLinkToken {
            to: nothing(),
            full_name: nothing(),
            purpose: LinkPurpose::ResetPassword,
            token: "sample".to_owned(),
            expires_at: now + Duration::from_mins(10),
        };
        self.secret(content, &link)
    }
}
