//! What clients of the routes of sessions send, parsed.

use std::convert::Infallible;

use actix_web::HttpRequest;
use actix_web::http::header::USER_AGENT;
use lyceum_chassis::http::{Fields, FromFields};
use secrecy::SecretString;

use super::domain::RefreshToken;
use crate::accounts::Email;

/// Most characters kept of a user agent: those of today's browsers have at most this many.
const MAX_USER_AGENT: usize = 200;

/// Body of `POST /auth/login`. Texts that no account can have break no rule: they are wrong.
#[derive(Debug)]
pub(crate) struct Login {
    /// `None` when the text is no address, which then has no account either.
    pub(crate) email: Option<Email>,
    pub(crate) password: SecretString,
}

impl FromFields for Login {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.required("email", |text: String| {
            Ok::<_, Infallible>(Email::parse(&text).ok())
        });
        let password = fields.required("password", |text: String| {
            Ok::<SecretString, Infallible>(text.into())
        });
        Some(Self {
            email: email?,
            password: password?,
        })
    }
}

/// Body of `POST /auth/refresh` and `POST /auth/logout`.
#[derive(Debug)]
pub(crate) struct Presented(pub(crate) RefreshToken);

impl FromFields for Presented {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        fields
            .required("refresh_token", |text: String| {
                Ok::<_, Infallible>(RefreshToken::presented(text))
            })
            .map(Self)
    }
}

/// What the caller names itself as, so that a person knows their sessions apart: at most 200
/// characters without control characters, `None` when nothing is left. Nothing is decided by it.
pub(crate) fn user_agent(request: &HttpRequest) -> Option<String> {
    let sent = request.headers().get(USER_AGENT)?;
    let text = String::from_utf8_lossy(sent.as_bytes());
    let plain = text.chars().filter(|char| !char.is_control());
    let kept: String = plain.take(MAX_USER_AGENT).collect();
    Some(kept.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_user_agent_is_kept_short_and_plain() {
        let kept = |sent: &[u8]| {
            let request = TestRequest::default().insert_header((USER_AGENT, sent));
            user_agent(&request.to_http_request())
        };
        assert_eq!(kept(b" curl/8.5\t(x) ").as_deref(), Some("curl/8.5(x)"));
        assert_eq!(kept("Zoë 🐎".as_bytes()).as_deref(), Some("Zoë 🐎"));
        assert_eq!(kept(b"a\xffb").as_deref(), Some("a\u{fffd}b"));
        assert_eq!(
            kept("é".repeat(201).as_bytes()).unwrap().chars().count(),
            200
        );
        assert_eq!(kept(b" \t"), None);
        assert_eq!(user_agent(&TestRequest::default().to_http_request()), None);
    }
}
