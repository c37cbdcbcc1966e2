//! The header `Idempotency-Key`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::{FromRequest, HttpRequest};
use lyceum_contracts::header::IDEMPOTENCY_KEY;
use lyceum_contracts::problem::ProblemKind;
use serde::Serialize;

use super::keyed::{Keyed, Owner};
use crate::http::ApiError;

/// Longest key, as Stripe and Novu have it. A UUID has 36 characters.
const MAX_LENGTH: usize = 255;

/// The `Idempotency-Key` of a request, if it has one, and which route it was sent to.
///
/// Both a structured header's string (`"8e03…"`, as the draft has it) and the bare text (as most
/// clients send it) are read, and are the same key. Answers 400 for anything else.
#[derive(Debug)]
pub struct IdempotencyKey {
    key: Option<String>,
    route: String,
    path: String,
}

impl IdempotencyKey {
    /// Says whose request it is and what it asks.
    ///
    /// A repeat must ask the same: the path and `payload` are kept as a SHA-256, which hides no
    /// password, so leave secrets out of the payload. What is left out is not compared.
    ///
    /// # Errors
    /// 500 for a payload that cannot become JSON.
    pub fn of(self, owner: impl Into<Owner>, payload: &impl Serialize) -> Result<Keyed, ApiError> {
        let Some(key) = self.key else {
            return Ok(Keyed::none());
        };
        let payload = serde_json::to_vec(payload).map_err(ApiError::internal)?;
        Ok(Keyed::new(
            &owner.into(),
            self.route,
            key,
            &[self.path.as_bytes(), &payload],
        ))
    }
}

impl FromRequest for IdempotencyKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let route = || {
            // A path outside the routing table has no pattern, and no handler.
            let pattern = request.match_pattern().unwrap_or_default();
            format!("{} {pattern}", request.method())
        };
        ready(read(request.headers()).map(|key| Self {
            key,
            route: route(),
            path: request.path().to_owned(),
        }))
    }
}

/// The same for a route that has no answer without one: 400 when the header is missing.
#[derive(Debug)]
pub struct RequiredIdempotencyKey(IdempotencyKey);

impl RequiredIdempotencyKey {
    /// As [`IdempotencyKey::of`].
    ///
    /// # Errors
    /// 500 for a payload that cannot become JSON.
    pub fn of(self, owner: impl Into<Owner>, payload: &impl Serialize) -> Result<Keyed, ApiError> {
        self.0.of(owner, payload)
    }
}

impl FromRequest for RequiredIdempotencyKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let given = IdempotencyKey::from_request(request, payload).into_inner();
        ready(match given {
            Ok(IdempotencyKey { key: None, .. }) => Err(ApiError::of(
                ProblemKind::MalformedRequest,
            )
            .detail(format!(
                "Idempotency-Key is missing: name this request with 1 to {MAX_LENGTH} printable \
                     ASCII characters, such as a UUID, and send it again under the same name"
            ))),
            given => given.map(Self),
        })
    }
}

fn read(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => parse(value).map(Some).ok_or_else(malformed),
        (Some(_), Some(_)) => Err(malformed()),
    }
}

fn malformed() -> ApiError {
    ApiError::of(ProblemKind::MalformedRequest).detail(format!(
        "Idempotency-Key must be sent once, with 1 to {MAX_LENGTH} printable ASCII characters"
    ))
}

fn parse(value: &HeaderValue) -> Option<String> {
    // Visible ASCII and tabs, or it is no text at all.
    let text = value.to_str().ok()?.trim_matches([' ', '\t']);
    let key = match text.strip_prefix('"') {
        Some(rest) => unquote(rest)?,
        None => text.to_owned(),
    };
    let printable = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    (printable && (1..=MAX_LENGTH).contains(&key.len())).then_some(key)
}

/// The rest of a string of RFC 8941 §3.3.3 behind its opening quote; parameters are refused.
fn unquote(rest: &str) -> Option<String> {
    let mut key = String::new();
    let mut chars = rest.chars();
    loop {
        match chars.next()? {
            '"' => return chars.as_str().is_empty().then_some(key),
            '\\' => key.push(
                chars
                    .next()
                    .filter(|escaped| matches!(escaped, '"' | '\\'))?,
            ),
            char => key.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(text: &str) -> Option<String> {
        parse(&HeaderValue::from_bytes(text.as_bytes()).ok()?)
    }

    #[test]
    fn a_key_reads_the_same_bare_and_as_a_string() {
        for (sent, read) in [
            (
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
            (
                "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"",
                "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ),
            ("a key with spaces", "a key with spaces"),
            (r#""a \"quoted\" \\ key""#, r#"a "quoted" \ key"#),
            (r#"5"-disk"#, r#"5"-disk"#),
        ] {
            assert_eq!(key(sent).as_deref(), Some(read), "{sent}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for sent in [
            "",
            "  ",
            "\"\"",
            "\"open",
            "\"a\" b",
            "\"a\";b=1",
            r#""a\b""#,
            "ключ",
            "a\tb",
        ] {
            assert_eq!(key(sent), None, "{sent}");
        }
        assert!(key(&"k".repeat(MAX_LENGTH)).is_some());
        assert_eq!(key(&"k".repeat(MAX_LENGTH + 1)), None);
    }

    proptest! {
        #[test]
        fn every_printable_text_can_be_sent_as_a_string(text in "[ -~]{1,255}") {
            let quoted = format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            prop_assert_eq!(key(&quoted), Some(text));
        }
    }
}
