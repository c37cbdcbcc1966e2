//! A caller that can leave: one connection, one request, a trace of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lyceum_testing::{PATIENCE, TestApp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::lags::GaveUp;

/// What is asked, again and again.
pub(crate) struct Ask {
    /// `METHOD /path`
    pub(crate) line: String,
    pub(crate) token: String,
    /// JSON, or nothing.
    pub(crate) body: &'static str,
}

/// How a caller leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leave {
    /// Closes the connection, as a client does whose own time is up.
    Close,
    /// Resets it, as the system does for a process that is killed with data unread.
    Reset,
}

/// Somebody who waits for an answer.
pub(crate) struct Caller {
    stream: TcpStream,
    pub(crate) trace: String,
    pub(crate) asked: GaveUp,
}

impl Caller {
    /// Sends the request, granting `granted` if anything.
    pub(crate) async fn asks(app: &TestApp, ask: &Ask, granted: Option<Duration>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let trace = format!("{:032x}", NEXT.fetch_add(1, Ordering::Relaxed));
        let address = app.base_url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let Ask { line, token, body } = ask;
        let grants = granted.map(|time| format!("x-deadline-ms: {}\r\n", time.as_millis()));
        let grants = grants.unwrap_or_default();
        let kind = match body {
            &"" => "",
            _ => "content-type: application/json\r\n",
        };
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nhost: lyceum\r\nauthorization: Bearer {token}\r\n\
             traceparent: 00-{trace}-00000000000000ab-01\r\nif-match: *\r\n\
             {grants}{kind}content-length: {length}\r\n\r\n{body}"
        );
        let asked = GaveUp::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        Self {
            stream,
            trace,
            asked,
        }
    }

    /// Sends the request, granting so much time that `at_work` is seen within it: more than before
    /// each time it is not, as on a machine under load. Each time it begins with `at_rest`. The
    /// caller, and when its time is up.
    pub(crate) async fn grants_enough(
        app: &TestApp,
        ask: &Ask,
        at_rest: impl AsyncFn(),
        at_work: impl AsyncFn(&str),
    ) -> (Self, GaveUp) {
        let mut granted = Duration::from_millis(400);
        loop {
            at_rest().await;
            let caller = Self::asks(app, ask, Some(granted)).await;
            let time_up = caller.asked.after(granted);
            if time_up.outrun_by(at_work(&caller.trace)).await.is_some() {
                return (caller, time_up);
            }
            caller.status().await;
            granted *= 2;
            assert!(granted < PATIENCE, "it begins to work");
        }
    }

    /// Stops waiting.
    pub(crate) fn leaves(self, how: Leave) -> (GaveUp, String) {
        if how == Leave::Reset {
            self.stream.set_zero_linger().unwrap();
        }
        let gave_up = GaveUp::now();
        drop(self.stream);
        (gave_up, self.trace)
    }

    /// Waits for the answer and returns its status.
    pub(crate) async fn status(mut self) -> u16 {
        let mut head = [0; 12];
        self.stream.read_exact(&mut head).await.unwrap();
        let head = String::from_utf8_lossy(&head).into_owned();
        head["HTTP/1.1 ".len()..].parse().unwrap()
    }
}
