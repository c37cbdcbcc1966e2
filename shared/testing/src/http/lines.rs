//! An answer read line by line while it is written, as fast or slow as the test likes.

use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::{Request, Response};
use crate::PATIENCE;

/// The body of an answer that has begun; dropping it hangs up.
#[derive(Debug)]
pub struct Lines {
    /// The head of the answer; its body is empty.
    pub head: Response,
    body: Incoming,
    read: Vec<u8>,
    /// Where in `read` the next line begins.
    at: usize,
}

impl Request<'_> {
    /// Sends the request and returns when the answer begins.
    ///
    /// # Panics
    /// When it does not begin soon.
    pub async fn lines(self) -> Lines {
        let opened = tokio::time::timeout(PATIENCE, self.open()).await;
        let answer = opened.expect("an answer begins soon").expect("an answer");
        let (head, body) = answer.into_parts();
        Lines {
            head: Response::new(head.status, head.headers, bytes::Bytes::new()),
            body,
            read: Vec::new(),
            at: 0,
        }
    }
}

impl Lines {
    /// The next line without its line feed; `None` at the end of a whole answer.
    ///
    /// # Errors
    /// When the answer breaks off.
    ///
    /// # Panics
    /// When neither comes soon.
    pub async fn next(&mut self) -> Result<Option<String>, String> {
        loop {
            let unread = &self.read[self.at..];
            if let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&unread[..end]).into_owned();
                self.at += end + 1;
                return Ok(Some(line));
            }
            self.read.drain(..self.at);
            self.at = 0;
            let frame = tokio::time::timeout(PATIENCE, self.body.frame()).await;
            match frame.expect("the next line comes soon") {
                Some(frame) => {
                    let frame = frame.map_err(|error| super::chain(&error))?;
                    self.read.extend(frame.into_data().unwrap_or_default());
                }
                None if self.read.is_empty() => return Ok(None),
                None => return Err("the last line has no end".to_owned()),
            }
        }
    }
}
