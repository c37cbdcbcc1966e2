//! JSON over HTTP to the platform from outside, as any user of its API would speak.
//!
//! Not for calls between services: those go through `lyceum-client`. Every exchange has an end.

use std::error::Error;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Builder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// From connecting to the last byte; far over what a healthy service needs.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Whoever is there answers a handshake at once; an address that is gone answers never.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A pooled client; clones share the pool.
#[derive(Clone, Debug)]
pub struct Http(Client<HttpConnector, Full<Bytes>>);

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    body: Bytes,
}

/// Why there is no answer, or none that can be read.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody listens there, or the connection broke.
    #[error("no answer from {url}: {cause}")]
    NoAnswer {
        /// Where the request went.
        url: String,
        /// What went wrong, down to the system's reason.
        cause: String,
    },
    /// The answer is not what was asked for.
    #[error("the answer cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The request cannot be written.
    #[error("not a request: {0}")]
    Request(#[from] hyper::http::Error),
}

impl Default for Http {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }
}

impl Http {
    /// A client without connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// `GET`, as nobody in particular.
    pub async fn get(&self, url: &str) -> Result<Answer, HttpError> {
        self.exchange(Request::get(url).body(Full::default())?)
            .await
    }

    /// What `request` says, with a JSON body or none.
    pub async fn send(
        &self,
        request: Builder,
        body: Option<&impl Serialize>,
    ) -> Result<Answer, HttpError> {
        let request = match body {
            Some(body) => {
                let body = Full::from(serde_json::to_vec(body)?);
                request
                    .header(CONTENT_TYPE, "application/json")
                    .body(body)?
            }
            None => request.body(Full::default())?,
        };
        self.exchange(request).await
    }

    /// Sends `request`, reads what comes for a `moment`, and hangs up; the answer's status.
    pub async fn listen(&self, request: Builder, moment: Duration) -> Result<u16, HttpError> {
        let request = request.body(Full::default())?;
        let url = request.uri().to_string();
        let answer = in_time(&url, async { Ok(self.0.request(request).await?) }).await?;
        let status = answer.status().as_u16();
        let mut body = answer.into_body();
        let read = async { while let Some(Ok(_)) = body.frame().await {} };
        // A stream without an end is left in the middle.
        tokio::time::timeout(moment, read).await.ok();
        Ok(status)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, HttpError> {
        let url = request.uri().to_string();
        let exchange = async {
            let (head, body) = self.0.request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Answer {
                status: head.status.as_u16(),
                body,
            })
        };
        in_time(&url, exchange).await
    }
}

async fn in_time<T>(
    url: &str,
    exchange: impl Future<Output = Result<T, Box<dyn Error>>>,
) -> Result<T, HttpError> {
    let cause = match tokio::time::timeout(TIMEOUT, exchange).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => chain(&*error),
        Err(_) => format!("none in {} s", TIMEOUT.as_secs()),
    };
    Err(HttpError::NoAnswer {
        url: url.to_owned(),
        cause,
    })
}

/// An error with everything behind it; the first words alone are "client error (Connect)".
fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        // Some repeat their source.
        if !words.ends_with(&more) {
            words = format!("{words}: {more}");
        }
        source = error.source();
    }
    words
}

impl Answer {
    /// The body as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
