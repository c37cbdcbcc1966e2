//! Reading an answer to its end, and telling the kinds of failure apart.
//!
//! The body belongs to the attempt: a connection that breaks in the middle of it is a failed
//! attempt, not a parse error. The body of an error is read too, within bounds, because a
//! connection whose body was left unread cannot be used again.

use std::error::Error;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures_util::future::Either;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use lyceum_contracts::problem::{MEDIA_TYPE, Problem};
use lyceum_telemetry::attempt::AttemptSpan;
use reqwest::Response;

use crate::attempt::{Class, Failure};
use crate::endpoint::Endpoint;
use crate::error::{ClientError, Malformation};
use crate::faults::{self, Injector, Instead};

/// The body of an error is read this far, and this long (linkerd's replay limit).
const DRAIN_BYTES: usize = 64 * 1024;
const DRAIN_TIME: Duration = Duration::from_millis(50);

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Reads the answer whose head `head` brings, to its end.
pub(crate) async fn of(
    head: impl Future<Output = Result<Response, Failure>>,
    limit_bytes: usize,
    span: &mut AttemptSpan,
) -> Result<Answer, Failure> {
    let response = head.await?;
    let status = response.status();
    span.received(status.as_u16());
    if status.is_success() {
        let body = read(response, limit_bytes).await?;
        return Ok(Answer {
            status: status.as_u16(),
            body,
        });
    }
    if status.is_client_error() || status.is_server_error() {
        return Err(refusal(response).await);
    }
    // Its body is read for the connection's sake, as that of an error is.
    problem(response).await;
    Err(unusable(Malformation::Status(status.as_u16())))
}

/// The head of the peer's answer, or what was set to come in its place.
pub(crate) fn head(
    injector: &Injector,
    endpoint: &Endpoint,
    request: reqwest::Request,
    span: &AttemptSpan,
) -> impl Future<Output = Result<Response, Failure>> + Send + use<> {
    let Some(injection) = injector.next() else {
        return Either::Left(endpoint.transport.send(request));
    };
    span.injected(faults::word(injection.instead));
    let transport = endpoint.transport.clone();
    Either::Right(Box::pin(async move {
        if !injection.delay.is_zero() {
            tokio::time::sleep(injection.delay).await;
        }
        match injection.instead {
            Some(Instead::Status(status)) => {
                let mut response = http::Response::new("");
                *response.status_mut() = status;
                Ok(response.into())
            }
            Some(Instead::Reset) => Err(lost()),
            None => transport.send(request).await,
        }
    }))
}

/// The whole body, unless it is longer than `limit_bytes`. Most come in one piece, which is then
/// the body.
async fn read(mut response: Response, limit_bytes: usize) -> Result<Bytes, Failure> {
    let (mut body, mut pieces) = (Bytes::new(), BytesMut::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(&error))? {
        if body.len() + pieces.len() + chunk.len() > limit_bytes {
            return Err(unusable(Malformation::TooLarge { limit_bytes }));
        }
        if body.is_empty() && pieces.is_empty() {
            body = chunk;
        } else {
            pieces.extend_from_slice(&std::mem::take(&mut body));
            pieces.extend_from_slice(&chunk);
        }
    }
    Ok(if pieces.is_empty() {
        body
    } else {
        pieces.freeze()
    })
}

/// The peer said no.
async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let retry_after = retry_after(response.headers(), SystemTime::now());
    let problem = Box::new(problem(response).await);
    if status == StatusCode::REQUEST_TIMEOUT {
        // The peer keeps the time it was told too, and may be the first to say that it is up.
        return Failure {
            error: ClientError::Timeout,
            class: Class::Ambiguous,
        };
    }
    let error = ClientError::Refused {
        problem,
        retry_after,
    };
    let class = match (status, retry_after) {
        _ if error.is_of_a_peer_s_peer() => Class::Final,
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(hint)) => {
            Class::ToldToWait(hint)
        }
        (StatusCode::NOT_IMPLEMENTED, _) => Class::Final,
        _ if status.is_server_error() => Class::Ambiguous,
        _ => Class::Final,
    };
    Failure { error, class }
}

/// The problem in the body, or one made from the status when there is none that can be read.
async fn problem(response: Response) -> Problem {
    let status = response.status();
    let declared = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_problem = declared.is_some_and(|media_type| media_type.starts_with(MEDIA_TYPE));
    let body = tokio::time::timeout(DRAIN_TIME, read(response, DRAIN_BYTES)).await;
    let said = match body {
        Ok(Ok(body)) if is_problem => serde_json::from_slice(&body).ok(),
        _ => None,
    };
    let silent = || Problem {
        r#type: "about:blank".to_owned(),
        title: status
            .canonical_reason()
            .unwrap_or("Unknown status")
            .to_owned(),
        status: status.as_u16(),
        detail: None,
        instance: None,
        trace_id: None,
        errors: Vec::new(),
    };
    Problem {
        status: status.as_u16(),
        ..said.unwrap_or_else(silent)
    }
}

/// When the peer wants to be asked again: seconds or an HTTP date (RFC 9110 §10.2.3). A date in
/// the past means now.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// The peer works, but the two of us disagree on what it should answer.
fn unusable(malformation: Malformation) -> Failure {
    Failure {
        error: ClientError::Malformed(malformation),
        class: Class::Final,
    }
}

/// The connection could not be made, broke, or carried something that is not HTTP.
pub(crate) fn broken(error: &reqwest::Error) -> Failure {
    let (error, class) = if error.is_connect() && is_of_tls(error) {
        // Another attempt would meet the same certificate.
        (ClientError::Unreachable { sent: false }, Class::Final)
    } else if error.is_connect() {
        return unreachable();
    } else if caused_by(error, hyper::Error::is_parse) {
        (ClientError::Malformed(Malformation::NotHttp), Class::Final)
    } else if caused_by(error, hyper::Error::is_canceled) {
        // The pooled connection closed before the request was written to it.
        return unreachable();
    } else {
        return lost();
    };
    Failure { error, class }
}

/// Nothing was sent, for there was no connection to send it on.
pub(crate) fn unreachable() -> Failure {
    Failure {
        error: ClientError::Unreachable { sent: false },
        class: Class::NeverSent,
    }
}

/// The connection broke with the request on it: the peer may have acted on it.
pub(crate) fn lost() -> Failure {
    Failure {
        error: ClientError::Unreachable { sent: true },
        class: Class::Ambiguous,
    }
}

/// Whether the two could not agree on how to talk in private. An `io::Error` hides what it wraps
/// from `source`.
fn is_of_tls(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        let hidden = error.downcast_ref::<std::io::Error>();
        let hidden = hidden.and_then(std::io::Error::get_ref);
        let hidden = hidden.and_then(|error| error.downcast_ref::<rustls::Error>());
        if error.is::<rustls::Error>() || hidden.is_some() {
            return true;
        }
        source = error.source();
    }
    false
}

fn caused_by(error: &reqwest::Error, is: fn(&hyper::Error) -> bool) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.downcast_ref::<hyper::Error>().is_some_and(is) {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn hint(value: &'static str) -> Option<Duration> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
        retry_after(&headers, now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        assert_eq!(hint("2"), Some(Duration::from_secs(2)));
        assert_eq!(
            hint("Sun, 06 Nov 1994 08:49:47 GMT"),
            Some(Duration::from_secs(10))
        );
        assert_eq!(hint("Sun, 06 Nov 1994 08:49:27 GMT"), Some(Duration::ZERO));
        for nonsense in ["", "-1", "soon", "1.5", "99999999999999999999"] {
            assert_eq!(hint(nonsense), None, "{nonsense:?}");
        }
    }
}
