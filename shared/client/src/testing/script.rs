//! A peer that follows a script, and what it was sent.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use lyceum_resilience::deadline::Instant;
use reqwest::{Request, Response, ResponseBuilderExt};

use super::act::{Act, End};
use crate::answer;
use crate::attempt::Failure;
use crate::endpoint::Wiring;
use crate::events::Event;
use crate::identity::{Identity, ServiceAuthSettings};
use crate::settings::{SettingsError, UpstreamSettings};
use crate::upstream::{Dice, Upstream};

/// One request as it would have gone out.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When, by tokio's clock.
    pub at: Instant,
    /// `host:port` of the URL it was for.
    pub host: String,
    /// Its method.
    pub method: Method,
    /// Its path, with the query if it has one.
    pub target: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Sent {
    fn new(request: &Request) -> Self {
        let url = request.url();
        let body = request.body().and_then(reqwest::Body::as_bytes);
        Self {
            at: Instant::now(),
            host: host_and_port(url),
            method: request.method().clone(),
            target: match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            },
            headers: request.headers().clone(),
            body: Bytes::copy_from_slice(body.unwrap_or_default()),
        }
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

enum Decide {
    /// The same for every request, none of which is written down: a peer for a load.
    Always(Act),
    By(Box<dyn Fn(&Sent) -> Act + Send + Sync>),
    Serve(Box<dyn Fn(Sent) -> BoxFuture<'static, Act> + Send + Sync>),
}

fn host_and_port(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    format!("{host}:{}", url.port_or_known_default().unwrap_or_default())
}

/// A peer that does as it is told. Clones are the same peer.
#[derive(Clone)]
pub struct Script(Arc<Stage>);

struct Stage {
    decide: Decide,
    sent: Mutex<Vec<Sent>>,
    events: Mutex<Vec<Event>>,
    names: Mutex<HashMap<String, Vec<SocketAddr>>>,
}

impl Script {
    /// One act per request in this order, the last one for ever.
    ///
    /// # Panics
    /// Without an act.
    pub fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        let mut acts: VecDeque<Act> = acts.into_iter().collect();
        let last = acts.pop_back();
        assert!(last.is_some(), "a script has at least one act");
        let last = last.unwrap_or_else(Act::hang);
        let acts = Mutex::new(acts);
        Self::deciding(move |_| locked(&acts).pop_front().unwrap_or_else(|| last.clone()))
    }

    /// Does with each request what `decide` says.
    pub fn deciding(decide: impl Fn(&Sent) -> Act + Send + Sync + 'static) -> Self {
        Self::on(Decide::By(Box::new(decide)))
    }

    /// Does with each request what `serve` has come to: a peer that has to work for its answer, or
    /// to ask a peer of its own.
    pub fn serving<F>(serve: impl Fn(Sent) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Act> + Send + 'static,
    {
        Self::on(Decide::Serve(Box::new(move |sent| Box::pin(serve(sent)))))
    }

    /// Does the same with every request and remembers none: a peer for a load.
    pub fn always(act: Act) -> Self {
        Self::on(Decide::Always(act))
    }

    fn on(decide: Decide) -> Self {
        Self(Arc::new(Stage {
            decide,
            sent: Mutex::default(),
            events: Mutex::default(),
            names: Mutex::default(),
        }))
    }

    /// An upstream that sends to this peer, under the policies of `settings`, with the dice of
    /// seed 0. Without a `base_url` it gets one that nothing listens on.
    ///
    /// # Errors
    /// [`SettingsError`] names the key that cannot be.
    pub fn upstream(
        &self,
        name: &'static str,
        settings: &UpstreamSettings,
    ) -> Result<Upstream, SettingsError> {
        self.seeded_upstream(name, settings, 0)
    }

    /// The same with other dice: other waits before repeats, other endpoints.
    ///
    /// # Errors
    /// [`SettingsError`] names the key that cannot be.
    pub fn seeded_upstream(
        &self,
        name: &'static str,
        settings: &UpstreamSettings,
        seed: u64,
    ) -> Result<Upstream, SettingsError> {
        let mut settings = settings.clone();
        if settings.base_url.is_empty() {
            "http://peer.test".clone_into(&mut settings.base_url);
        }
        let secret = "the secret of scripted peers, 32 bytes".to_owned();
        let secrets = vec![secret.into()];
        let identity = Identity::new("test", &ServiceAuthSettings { secrets })?;
        let stage = Arc::clone(&self.0);
        let record = move |event: &Event| locked(&stage.events).push(event.clone());
        Upstream::with(
            name,
            &settings,
            &identity,
            Wiring::Script(self.clone()),
            Some(Arc::new(record)),
            Dice::seeded(seed),
        )
    }

    /// What it was sent, in order.
    pub fn sent(&self) -> Vec<Sent> {
        locked(&self.0.sent).clone()
    }

    /// What the policies in front of it decided, in order.
    pub fn events(&self) -> Vec<Event> {
        locked(&self.0.events).clone()
    }

    /// Gives a name these addresses, from the next time it is looked up.
    pub fn name(&self, host: &str, addresses: impl IntoIterator<Item = SocketAddr>) {
        let addresses = addresses.into_iter().collect();
        locked(&self.0.names).insert(host.to_owned(), addresses);
    }

    pub(crate) fn look_up(&self, host: &str) -> Vec<SocketAddr> {
        let names = locked(&self.0.names);
        names.get(host).cloned().unwrap_or_default()
    }

    pub(crate) async fn send(self, request: Request) -> Result<Response, Failure> {
        let url = request.url().clone();
        let act = match &self.0.decide {
            Decide::Always(act) => act.clone(),
            Decide::By(decide) => {
                let sent = Sent::new(&request);
                let act = decide(&sent);
                locked(&self.0.sent).push(sent);
                act
            }
            Decide::Serve(serve) => {
                let sent = Sent::new(&request);
                locked(&self.0.sent).push(sent.clone());
                serve(sent).await
            }
        };
        if !act.after.is_zero() {
            tokio::time::sleep(act.after).await;
        }
        match act.end {
            End::Answer {
                status,
                headers,
                body,
            } => {
                let response = http::Response::builder().status(status).url(url);
                let mut response = response.body(body).unwrap_or_default();
                *response.headers_mut() = headers;
                Ok(response.into())
            }
            End::Lost => Err(answer::lost()),
            End::Unreachable => Err(answer::unreachable()),
            End::Hang => std::future::pending().await,
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("sent", &locked(&self.0.sent).len())
            .finish_non_exhaustive()
    }
}
