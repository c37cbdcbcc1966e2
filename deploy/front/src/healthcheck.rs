//! One question to the page of this machine, for images without a shell.

use std::net::SocketAddr;
use std::time::Duration;

use lyceum_front::address::local;
use lyceum_front::http::{Http, HttpError};

/// Shorter than what a container runtime waits.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why the page is not healthy. One line each.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unhealthy {
    /// Its own reason.
    #[error("not ready: {0}")]
    NotReady(String),
    /// Nobody listens, or not to the end.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Somebody listens and says nothing.
    #[error("no answer in {} s", TIMEOUT.as_secs())]
    Silent,
}

/// Asks `GET /health` and returns what it says.
pub(crate) async fn ask(page: SocketAddr) -> Result<String, Unhealthy> {
    let (http, url) = (Http::new(), format!("http://{}/health", local(page)));
    let answer = tokio::time::timeout(TIMEOUT, http.get(&url))
        .await
        .map_err(|_| Unhealthy::Silent)??;
    let reason = answer.text().trim_end().to_owned();
    if answer.status == 200 {
        Ok(reason)
    } else {
        Err(Unhealthy::NotReady(reason))
    }
}
