//! What the client sends while its answer lasts.

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Payload};
use futures_util::{FutureExt, StreamExt};

use super::handing::Handing;
use super::line::Line;

/// As much as is read at once. On the stack: an idle connection has no buffer.
const CHUNK: usize = 4 * 1024;

/// The bytes that follow the head of a request whose answer is a 101 that [lasts](super::last).
#[derive(Debug)]
pub struct Inbound {
    /// What has come while the server was reading.
    early: Option<Early>,
    line: Option<Line>,
}

struct Early(Payload);

impl std::fmt::Debug for Early {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Early")
    }
}

impl Inbound {
    /// What follows `request`; to be read by the body of its answer, and by nobody before.
    pub fn new(request: &HttpRequest, payload: Payload) -> Self {
        let handing = request.conn_data::<Handing>();
        Self {
            early: Some(Early(payload)),
            line: handing.map(|handing| handing.line().clone()),
        }
    }

    /// The next bytes; `None` when the client has gone. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Bytes> {
        let Some(line) = &self.line else {
            // A listener that hands nothing over.
            return self.early.as_mut()?.0.next().await?.ok();
        };
        if let Some(Early(payload)) = &mut self.early {
            // The server reads no more: what is not there now does not come.
            if let Some(Some(Ok(bytes))) = payload.next().now_or_never() {
                return Some(bytes);
            }
            self.early = None;
        }
        let read = line.read_some::<CHUNK>().await.ok()?;
        Some(read).filter(|read| !read.is_empty())
    }
}
