//! A plain HTTP client for tests: it shows what came back and decides nothing.
//!
//! No redirects, no cookies, no retries of a request that may have been sent; the client a service
//! author uses is `lyceum_client`, which is itself under test here.
//!
//! ```no_run
//! # async fn example() {
//! # use lyceum_testing::http::Client;
//! let client = Client::new("http://127.0.0.1:8001");
//! let answer = client.get("/users/me").bearer("token").send().await;
//! assert_eq!(answer.status, 401, "{}", answer.text());
//! # }
//! ```

mod lines;
mod raw;
mod response;
mod sse;

use std::fmt::Display;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use tokio::runtime::Runtime;
use tokio_util::task::AbortOnDropHandle;

pub use lines::Lines;
pub use response::Response;
pub use sse::{SseMessage, SseStream};

/// A request without an answer fails its test; longer than any deadline of a service.
const DEADLINE: Duration = Duration::from_mins(1);

/// Sends requests to one server, keeping its connections alive; clones share them.
#[derive(Debug, Clone)]
pub struct Client {
    base_url: String,
    pool: Pool<HttpConnector, Full<Bytes>>,
}

impl Client {
    /// A client for `base_url`, such as `http://127.0.0.1:8001`.
    pub fn new(base_url: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            pool: Pool::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Where it sends to.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// A `GET` of `path`, which may carry a query.
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    /// A `POST` to `path`.
    pub fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    /// A `PATCH` of `path`.
    pub fn patch(&self, path: &str) -> Request<'_> {
        self.request(Method::PATCH, path)
    }

    /// A `PUT` to `path`.
    pub fn put(&self, path: &str) -> Request<'_> {
        self.request(Method::PUT, path)
    }

    /// A `DELETE` of `path`.
    pub fn delete(&self, path: &str) -> Request<'_> {
        self.request(Method::DELETE, path)
    }

    /// Any method.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        Request {
            pool: &self.pool,
            method,
            url: format!("{}{path}", self.base_url),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }
}

/// A request being put together.
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'a> {
    pool: &'a Pool<HttpConnector, Full<Bytes>>,
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request<'_> {
    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Display) -> Self {
        let name: HeaderName = name.parse().expect("a header name");
        let value: HeaderValue = value.to_string().parse().expect("a header value");
        self.headers.append(name, value);
        self
    }

    /// Adds `Authorization: Bearer <token>`.
    pub fn bearer(self, token: impl Display) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sends `body` as JSON.
    pub fn json(self, body: &impl Serialize) -> Self {
        let json = serde_json::to_vec(body).expect("a request body becomes JSON");
        self.body(json, "application/json")
    }

    /// Sends a body of any kind.
    pub fn body(mut self, body: impl Into<Bytes>, content_type: &str) -> Self {
        self.body = body.into();
        self.headers.remove(header::CONTENT_TYPE);
        self.header("content-type", content_type)
    }

    /// Sends the request and reads the whole answer.
    ///
    /// # Panics
    /// When there is no answer within a minute.
    pub async fn send(self) -> Response {
        let what = format!("{} {}", self.method, self.url);
        let answer = self.try_send().await;
        answer.unwrap_or_else(|failure| panic!("no answer to {what}: {failure}"))
    }

    /// Sends the request to a server that may rightly be gone; the error says how it failed.
    pub async fn try_send(self) -> Result<Response, String> {
        let answer = async {
            let (head, body) = self.open().await?.into_parts();
            let body = body.collect().await.map_err(|error| chain(&error))?;
            Ok(Response::new(head.status, head.headers, body.to_bytes()))
        };
        let answer = tokio::time::timeout(DEADLINE, answer).await;
        answer.unwrap_or_else(|_| Err(format!("nothing within {DEADLINE:?}")))
    }

    /// Sends the request and reads no further than the status: a stream need not end.
    ///
    /// # Panics
    /// When there is no answer within a minute.
    pub async fn status(self) -> u16 {
        let answer = tokio::time::timeout(DEADLINE, self.open()).await;
        let answer = answer.expect("an answer in time");
        answer.expect("an answer").status().as_u16()
    }

    /// Sends the request and returns when the head of the answer is there.
    async fn open(self) -> Result<http::Response<Incoming>, String> {
        let mut request = http::Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.url.parse().expect("a base URL and a path make a URL");
        *request.headers_mut() = self.headers;
        let answer = connections().spawn(self.pool.request(request));
        let answer = AbortOnDropHandle::new(answer).await;
        answer
            .expect("a request ends without a panic")
            .map_err(|error| chain(&error))
    }
}

/// Where connections live: not on the test's own runtime, so that a request or a stream a test
/// has dropped is hung up at once, even while the test blocks in the drop of what it called.
fn connections() -> &'static Runtime {
    static CONNECTIONS: LazyLock<Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("http-client")
            .enable_all()
            .build()
            .expect("the system grants another runtime")
    });
    &CONNECTIONS
}

/// An error with all its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
