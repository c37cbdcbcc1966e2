//! The body of an upload, line by line, in the memory of one line and one read.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::StreamExt;
use lyceum_chassis::http::ApiError;
use lyceum_contracts::problem::ProblemKind;
use sha2::{Digest, Sha256};

/// The media type of a list of JSON objects, one per line.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// Most bytes of a line. The longest that can be in order has about 3 KiB: a name of 200
/// characters, each escaped as two times `\uXXXX`, and an address.
pub(crate) const MAX_LINE: usize = 4 * 1024;

/// The lines of a body that says it is NDJSON; any other is answered 415.
pub(crate) struct Lines {
    payload: Payload,
    read: BytesMut,
    /// How much of `read` is known to hold no line break.
    searched: usize,
    number: u64,
    hash: Sha256,
}

/// One line without its line break.
#[derive(Debug)]
pub(super) struct Line {
    /// Counted from 1, blank ones included.
    pub(super) number: u64,
    pub(super) bytes: Bytes,
}

/// Why there is no next line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// The connection ended before the body did.
    #[error("the body broke off: {0}")]
    BrokenOff(PayloadError),
    #[error("line {0} is too long")]
    LineTooLong(u64),
}

impl FromRequest for Lines {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media = request.headers().get(CONTENT_TYPE);
        let media = media.and_then(|value| value.to_str().ok()).unwrap_or("");
        let essence = media.split(';').next().unwrap_or("").trim();
        if !essence.eq_ignore_ascii_case(NDJSON) {
            let wrong = ApiError::of(ProblemKind::UnsupportedMediaType);
            return ready(Err(wrong.detail(format!("an import is {NDJSON}"))));
        }
        ready(Ok(Self {
            payload: payload.take(),
            read: BytesMut::new(),
            searched: 0,
            number: 0,
            hash: Sha256::new(),
        }))
    }
}

impl Lines {
    /// The next line that is not blank; `None` at the end of the body.
    pub(super) async fn next(&mut self) -> Result<Option<Line>, BodyError> {
        loop {
            let Some(bytes) = self.next_bytes().await? else {
                return Ok(None);
            };
            self.number += 1;
            if bytes.len() > MAX_LINE {
                return Err(BodyError::LineTooLong(self.number));
            }
            if !bytes.trim_ascii().is_empty() {
                let number = self.number;
                return Ok(Some(Line { number, bytes }));
            }
        }
    }

    async fn next_bytes(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let unsearched = self.read.iter().skip(self.searched);
            if let Some(offset) = unsearched.copied().position(|byte| byte == b'\n') {
                let mut line = self.read.split_to(self.searched + offset + 1);
                line.truncate(line.len() - 1);
                self.searched = 0;
                return Ok(Some(line.freeze()));
            }
            self.searched = self.read.len();
            if self.searched > MAX_LINE {
                return Err(BodyError::LineTooLong(self.number + 1));
            }
            match self.payload.next().await {
                Some(Ok(bytes)) => {
                    self.hash.update(&bytes);
                    self.read.extend_from_slice(&bytes);
                }
                Some(Err(error)) => return Err(BodyError::BrokenOff(error)),
                None if self.read.is_empty() => return Ok(None),
                None => {
                    self.searched = 0;
                    return Ok(Some(self.read.split().freeze()));
                }
            }
        }
    }

    /// What makes two bodies the same, once all of this one is read.
    pub(super) fn digest(self) -> String {
        URL_SAFE_NO_PAD.encode(self.hash.finalize())
    }
}

/// The body is somebody's, and no page of it is held anyway.
impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    /// The lines of `body` when it arrives in pieces of `size` bytes, or where it ends.
    async fn lines(body: &[u8], size: usize) -> (Vec<(u64, String)>, Option<String>) {
        let request = TestRequest::default().insert_header((CONTENT_TYPE, NDJSON));
        let request = request.to_http_request();
        let pieces: Vec<_> = body.chunks(size).map(Bytes::copy_from_slice).collect();
        let stream = futures_util::stream::iter(pieces.into_iter().map(Ok));
        let mut payload = Payload::Stream {
            payload: stream.boxed_local(),
        };
        let mut lines = Lines::from_request(&request, &mut payload).await.unwrap();
        let mut read = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => {
                    let text = String::from_utf8_lossy(&line.bytes).into_owned();
                    read.push((line.number, text));
                }
                Ok(None) => return (read, None),
                Err(error) => return (read, Some(error.to_string())),
            }
        }
    }

    #[actix_web::test]
    async fn lines_are_the_same_wherever_the_body_is_cut() {
        let body = b"one\n\n  \t\r\nfour\r\nfive";
        let expected = vec![
            (1, "one".to_owned()),
            (4, "four\r".to_owned()),
            (5, "five".to_owned()),
        ];
        for size in 1..=body.len() {
            assert_eq!(
                lines(body, size).await,
                (expected.clone(), None),
                "cut every {size} bytes"
            );
        }
        assert_eq!(lines(b"", 1).await, (vec![], None));
    }

    #[actix_web::test]
    async fn a_line_that_does_not_end_is_given_up_early_and_named() {
        let long = |count: usize| [b"one\n", "x".repeat(count).as_bytes(), b"\nthree"].concat();
        for size in [1_000, 1 << 20] {
            let (read, refused) = lines(&long(MAX_LINE), size).await;
            assert_eq!((read.len(), refused), (3, None), "{size}");
            let (read, refused) = lines(&long(MAX_LINE + 1), size).await;
            assert_eq!(read.len(), 1, "{size}");
            assert_eq!(refused.as_deref(), Some("line 2 is too long"), "{size}");
        }
    }
}
