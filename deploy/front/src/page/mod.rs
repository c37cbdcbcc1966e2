//! The page to begin with, and what asks whether the stack is ready.
//!
//! | path | answer |
//! |---|---|
//! | `/` | the page, complete without script |
//! | `/status` | the same states as JSON, for its script |
//! | `/health` | 200 when the demo data is there, else 503 with the reason |
//!
//! Served by hyper alone: four small files and two questions need neither a router nor workers,
//! and one runtime carries page and doors in a few megabytes.

mod answer;
mod html;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use self::html::{AdminLogin, Ports};
use crate::accepting::{PAUSE, has_left};
use crate::setup::Readiness;
use crate::status::Checks;

/// Open connections, some from every browser that shows the page.
const CONNECTIONS: usize = 64;

/// For the head of a request, and between two of them.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the page shows.
#[derive(Debug)]
pub struct Content {
    /// Of every part.
    pub checks: Checks,
    /// For the links.
    pub ports: Ports,
    /// For the table of logins, which there is with demo data alone.
    pub admin: Option<AdminLogin>,
    /// Of the demo data.
    pub readiness: watch::Receiver<Readiness>,
}

/// A page that listens.
#[derive(Debug)]
pub struct Page(TcpListener);

impl Page {
    /// Listens at `address`.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers until `stop`; what was asked by then is still answered, to those who have read it
    /// within `grace`.
    pub async fn serve(self, content: Content, stop: CancellationToken, grace: Duration) {
        let content = Arc::new(content);
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => {}
                accepted = self.0.accept() => match (accepted, Arc::clone(&slots).try_acquire_owned()) {
                    (Ok((stream, _)), Ok(slot)) => {
                        let answering = answer_all(stream, Arc::clone(&content), stop.clone());
                        connections.spawn(async move {
                            answering.await;
                            drop(slot);
                        });
                    }
                    // One too many: closed.
                    (Ok(_), Err(_)) => {}
                    (Err(error), _) if has_left(&error) => {}
                    (Err(error), _) => {
                        tracing::warn!(event = "page.accept_failed", %error, "waiting a moment");
                        tokio::time::sleep(PAUSE).await;
                    }
                },
            }
        }
        let ended = async { while connections.join_next().await.is_some() {} };
        // Whoever has not read its answer by then has not waited for it.
        tokio::time::timeout(grace, ended).await.ok();
    }
}

/// All requests of one connection, whose caller may leave at any time.
async fn answer_all(stream: TcpStream, content: Arc<Content>, stop: CancellationToken) {
    let service = service_fn(|request| {
        let content = Arc::clone(&content);
        async move { Ok::<_, Infallible>(answer::answer(&request, &content).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = &mut connection => return,
        () = stop.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await.ok();
}
