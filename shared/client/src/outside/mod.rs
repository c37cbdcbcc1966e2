//! Requests to hosts that are no peers: those behind addresses that people have named.
//!
//! Whoever names an address has this process send to it, from inside the network it runs in. So a
//! [`Target`] says nothing about itself but where it is, addresses that are not public are refused
//! after the name has been looked up, in the moment of connecting ([`Reach`]), redirects are not
//! followed, and of an answer nothing comes back but its status.
//!
//! No identity, no `traceparent` and no policy of a peer comes with such a request. When to send
//! it again, how many at once and when to leave a host alone is for whoever sends.

mod address;
mod resolver;
mod target;

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method};
use reqwest::{Request, Response, redirect};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use self::resolver::{Obstacle, Resolver};
pub use self::target::{Reach, Target, UnfitTarget};
use crate::answer::retry_after;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// An idle connection is kept for so long: what is sent to one host often comes in bursts.
const IDLE: Duration = Duration::from_secs(10);
/// So much of a body is read, for so long, so that the connection may be used again; of a longer
/// one the connection is given up.
const DRAINED: (usize, Duration) = (4 * 1024, Duration::from_secs(1));

/// Sends to hosts that are no peers. Clones share connections.
#[derive(Debug, Clone)]
pub struct Outside {
    service: &'static str,
    reach: Reach,
    patience: Duration,
    /// Made when it is first needed: it reads the machine's certificates.
    http: Arc<OnceCell<reqwest::Client>>,
}

/// What is known of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Its HTTP status.
    pub status: u16,
    /// For how long its sender wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Nobody may be sent to there; nothing was.
    #[error("the address is not public")]
    Private,
    /// The name has no address, or cannot be looked up now.
    #[error("the name has no address")]
    Unresolved,
    /// No connection, or none that keeps a secret.
    #[error("no connection")]
    Unreachable,
    /// The connection ended before the answer.
    #[error("the connection was lost")]
    ConnectionLost,
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
}

impl Unanswered {
    /// A stable word, such as `timeout`.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Private => "private_address",
            Self::Unresolved => "unresolved",
            Self::Unreachable => "unreachable",
            Self::ConnectionLost => "connection_lost",
            Self::Timeout => "timeout",
        }
    }
}

impl Outside {
    /// Prepares it; connects to nobody. `service` is who sends, for `User-Agent`; `patience` is
    /// the most one request may take, connection and answer included.
    pub fn new(service: &'static str, reach: Reach, patience: Duration) -> Self {
        Self {
            service,
            reach,
            patience,
            http: Arc::default(),
        }
    }

    /// Sends `body` to `target` and waits for the head of the answer.
    ///
    /// # Errors
    /// When there was none. Whether the other side has acted on the request is known only of
    /// [`Unanswered::Private`], [`Unanswered::Unresolved`] and [`Unanswered::Unreachable`]: it
    /// has not.
    pub async fn post(
        &self,
        target: &Target,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answered, Unanswered> {
        // An address is connected to without being looked up.
        if !target.is_within(self.reach) {
            return Err(Unanswered::Private);
        }
        let built = self.http.get_or_try_init(|| async { self.client() }).await;
        let http = built.map_err(|_| Unanswered::Unreachable)?;
        let mut request = Request::new(Method::POST, target.url().clone());
        *request.headers_mut() = headers;
        *request.timeout_mut() = Some(self.patience);
        *request.body_mut() = Some(body.into());
        let answer = http
            .execute(request)
            .await
            .map_err(|error| unanswered(&error))?;
        let answered = Answered {
            status: answer.status().as_u16(),
            retry_after: retry_after(answer.headers(), SystemTime::now()),
        };
        let (most, patience) = DRAINED;
        timeout(patience, drain(answer, most)).await.ok();
        Ok(answered)
    }

    fn client(&self) -> reqwest::Result<reqwest::Client> {
        self.builder().build().or_else(|error| {
            tracing::warn!(
                event = "outside.no_certificates",
                error = &error as &(dyn Error + 'static),
                "the machine's certificates cannot be read: nobody is reached by https"
            );
            self.builder().tls_certs_only([]).build()
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that builds a client for hosts that are no peers"
    )]
    fn builder(&self) -> reqwest::ClientBuilder {
        // Fails when the process has chosen a provider already, which is as good.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        reqwest::Client::builder()
            .user_agent(format!("lyceum-{}", self.service))
            .connect_timeout(CONNECT.min(self.patience))
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .dns_resolver(Resolver::new(self.reach))
    }
}

/// Reads a body to its end, if that is near.
async fn drain(mut answer: Response, most: usize) {
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > most {
            return;
        }
    }
}

fn unanswered(error: &reqwest::Error) -> Unanswered {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<Obstacle>() {
            Some(Obstacle::Private) => return Unanswered::Private,
            Some(Obstacle::Unresolved) => return Unanswered::Unresolved,
            None => cause = error.source(),
        }
    }
    if error.is_timeout() {
        Unanswered::Timeout
    } else if error.is_connect() {
        Unanswered::Unreachable
    } else {
        Unanswered::ConnectionLost
    }
}
