//! The request of one attempt: what is asked, by whom, and for how long the answer is of use.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use lyceum_contracts::header;
use lyceum_telemetry::attempt::AttemptSpan;

use crate::retry::Sending;

// Read once, and not at every insertion.
const ATTEMPT: HeaderName = HeaderName::from_static(header::ATTEMPT);
const DEADLINE_MS: HeaderName = HeaderName::from_static(header::DEADLINE_MS);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static(header::IDEMPOTENCY_KEY);
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Room for ours, and for those that reqwest and hyper add: no map grows on the way.
const HEADERS: usize = 12;

impl Sending<'_> {
    /// `number` counts the attempts from 1; `limit` is how long this one waits.
    pub(crate) fn request(
        &self,
        url: reqwest::Url,
        number: u32,
        limit: Duration,
        span: &AttemptSpan,
    ) -> reqwest::Request {
        let call = self.call;
        let mut request = reqwest::Request::new(call.method.clone(), url);
        let headers = request.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(AUTHORIZATION, self.upstream.credential.header());
        if number > 1 {
            headers.insert(ATTEMPT, HeaderValue::from(number));
        }
        // What the peer works on after this, nobody waits for.
        let whole = limit == self.pipeline.limits.attempt;
        let limit_ms = if whole {
            self.pipeline.attempt_ms.clone()
        } else {
            milliseconds(limit)
        };
        headers.insert(DEADLINE_MS, limit_ms);
        if let Some(key) = &call.idempotency_key {
            headers.insert(IDEMPOTENCY_KEY, key.clone());
        }
        span.inject(headers);
        if let Some(body) = &call.body {
            headers.insert(CONTENT_TYPE, JSON);
            *request.body_mut() = Some(body.clone().into());
        }
        request
    }
}

/// The value of `X-Deadline-Ms`.
pub(crate) fn milliseconds(limit: Duration) -> HeaderValue {
    HeaderValue::from(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))
}
