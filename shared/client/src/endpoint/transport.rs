//! What carries a request to an endpoint: connections, or the script of a test.

use std::io;
use std::net::SocketAddr;

use futures_util::FutureExt;
#[cfg(any(test, feature = "testing"))]
use futures_util::future::Either;
use http::HeaderMap;
use http::header::ACCEPT;
use reqwest::{Request, Response, redirect};

use super::{Location, addresses};
use crate::answer;
use crate::attempt::Failure;
use crate::request::JSON;
use crate::settings::Limits;
#[cfg(any(test, feature = "testing"))]
use crate::testing::Script;

/// How an upstream reaches its endpoints.
#[derive(Debug, Clone)]
pub(crate) enum Wiring {
    /// Over the network. `service` is who calls, for `User-Agent`.
    Network { service: &'static str },
    /// As a test says.
    #[cfg(any(test, feature = "testing"))]
    Script(Script),
}

impl Wiring {
    /// What carries requests to `location`.
    pub(crate) fn connect(
        &self,
        location: &Location,
        limits: &Limits,
    ) -> reqwest::Result<Transport> {
        match self {
            Self::Network { service } => pool(location, limits, service).map(Transport::Pool),
            #[cfg(any(test, feature = "testing"))]
            Self::Script(script) => Ok(Transport::Script(script.clone())),
        }
    }

    /// The addresses of a name.
    pub(super) async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::Network { .. } => addresses::system(host, port).await,
            #[cfg(any(test, feature = "testing"))]
            Self::Script(script) => Ok(script.look_up(host)),
        }
    }
}

/// Carries requests to one endpoint.
#[derive(Debug, Clone)]
pub(crate) enum Transport {
    Pool(reqwest::Client),
    #[cfg(any(test, feature = "testing"))]
    Script(Script),
}

impl Transport {
    /// Sends `request`; the head of the answer. Not an `async fn`, which would carry the request
    /// about for as long as the answer takes.
    pub(crate) fn send(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Response, Failure>> + Send + use<> {
        match self {
            Self::Pool(http) => {
                let sent = http.execute(request);
                let sent = sent.map(|sent| sent.map_err(|error| answer::broken(&error)));
                #[cfg(any(test, feature = "testing"))]
                let sent = Either::Left(sent);
                sent
            }
            #[cfg(any(test, feature = "testing"))]
            Self::Script(script) => Either::Right(script.clone().send(request)),
        }
    }
}

/// Connections to one endpoint. Whatever would send, repeat or redirect a request behind the back
/// of the policies is off.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that builds a client for a peer"
)]
fn pool(location: &Location, limits: &Limits, service: &str) -> reqwest::Result<reqwest::Client> {
    // Fails when the process has chosen a provider already, which is as good.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let mut builder = reqwest::Client::builder()
        .user_agent(format!("lyceum-{service}"))
        .default_headers(HeaderMap::from_iter([(ACCEPT, JSON)]))
        .connect_timeout(limits.connect)
        .pool_idle_timeout(limits.pool_idle)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy();
    if let (Some(address), Some(host)) = (location.address, location.origin.host_str()) {
        builder = builder.resolve(host, address);
    }
    if location.origin.scheme() == "https" {
        builder.build()
    } else {
        // Without TLS there is no need of the machine's certificates, which may be missing.
        builder.tls_certs_only([]).build()
    }
}
