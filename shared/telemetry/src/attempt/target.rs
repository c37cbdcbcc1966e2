//! Where attempts go, read once per endpoint, and what of a URL a span may show.
//! Query values can be tokens, mail addresses or cursors, so all are replaced; the keys stay, they name the call.

use std::{
    fmt::{self, Display, Formatter},
    sync::{Arc, OnceLock},
};

use opentelemetry::{
    KeyValue,
    metrics::{BoundHistogram, Histogram},
};

/// Stands where a value was (semantic conventions, `url.full`).
const REDACTED: &str = "REDACTED";

/// An endpoint as spans and metrics name it. Make one per endpoint and keep it: each attempt only reads it. Clones
/// share everything.
#[derive(Clone, Debug)]
pub struct Target(Arc<Described>);

#[derive(Debug)]
struct Described {
    /// `http://course:8002` without credentials; `None` of a text that is no URL.
    origin: Option<String>,
    host: Arc<str>,
    port: Option<u16>,
    /// The series that most attempts are counted in, found once: by its labels it is sought at every attempt.
    usual: OnceLock<BoundHistogram<f64>>,
}

/// What most attempts are, and how they end.
const USUAL: (&str, u16) = ("GET", 200);

impl Target {
    /// Reads scheme, host and port of a URL; what follows them is left out. Never fails: of a text that is no
    /// URL, only `REDACTED` is shown.
    pub fn new(origin: &str) -> Self {
        let (scheme, rest) = origin.split_once("://").unwrap_or_default();
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((_, address)) => ("REDACTED:REDACTED@", address),
            None => ("", authority),
        };
        let (host, port) = split_port(address);
        let default = match scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        Self(Arc::new(Described {
            origin: (!scheme.is_empty()).then(|| format!("{scheme}://{credentials}{address}")),
            host: Arc::from(host),
            port: port.or(default),
            usual: OnceLock::new(),
        }))
    }

    pub(super) fn host(&self) -> &str {
        &self.0.host
    }

    pub(super) fn port(&self) -> Option<u16> {
        self.0.port
    }

    /// Labels of an attempt, with room for the type of an error.
    pub(super) fn labels(&self, method: &'static str, status: Option<u16>) -> Vec<KeyValue> {
        let mut labels = Vec::with_capacity(5);
        labels.push(KeyValue::new("http.request.method", method));
        labels.push(KeyValue::new("server.address", Arc::clone(&self.0.host)));
        let port = self.0.port;
        labels.extend(port.map(|port| KeyValue::new("server.port", i64::from(port))));
        labels.extend(
            status.map(|status| KeyValue::new("http.response.status_code", i64::from(status))),
        );
        labels
    }

    /// The series of an attempt that ended as most do.
    pub(super) fn usual(
        &self,
        duration: &Histogram<f64>,
        method: &'static str,
        status: u16,
    ) -> Option<&BoundHistogram<f64>> {
        let bind = || duration.bind(&self.labels(method, Some(status)));
        ((method, status) == USUAL).then(|| self.0.usual.get_or_init(bind))
    }

    /// The URL of a path at this origin without its secrets, written only where somebody reads it.
    pub(super) fn url<'a>(&'a self, path_and_query: &'a str) -> Redacted<'a> {
        Redacted {
            origin: self.0.origin.as_deref(),
            path_and_query,
        }
    }
}

/// `[::1]:8001` → (`::1`, 8001).
fn split_port(address: &str) -> (&str, Option<u16>) {
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (address, None),
    };
    (host.trim_start_matches('[').trim_end_matches(']'), port)
}

/// `/users?limit=5&after#top` → `http://course:8002/users?limit=REDACTED&after`.
pub(super) struct Redacted<'a> {
    origin: Option<&'a str>,
    path_and_query: &'a str,
}

impl Display for Redacted<'_> {
    fn fmt(&self, text: &mut Formatter<'_>) -> fmt::Result {
        let Some(origin) = self.origin else {
            return text.write_str(REDACTED);
        };
        text.write_str(origin)?;
        if !self.path_and_query.starts_with('/') {
            text.write_str("/")?;
        }
        let shown = self.path_and_query.split('#').next().unwrap_or_default();
        let (path, query) = match shown.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (shown, None),
        };
        text.write_str(path)?;
        let mut separator = '?';
        for pair in query.into_iter().flat_map(|query| query.split('&')) {
            match pair.split_once('=') {
                Some((key, _)) => write!(text, "{separator}{key}={REDACTED}")?,
                None => write!(text, "{separator}{pair}")?,
            }
            separator = '&';
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_read_and_defaulted() {
        let cases = [
            ("http://127.0.0.1:8002/users", "127.0.0.1", Some(8002)),
            ("http://course/users", "course", Some(80)),
            ("https://course", "course", Some(443)),
            ("http://[::1]:8002?x", "::1", Some(8002)),
            ("http://[::1]", "::1", Some(80)),
            ("nonsense", "", None),
        ];
        for (url, host, port) in cases {
            let target = Target::new(url);
            assert_eq!((target.host(), target.port()), (host, port), "{url}");
        }
    }

    #[test]
    fn secrets_never_reach_the_span() {
        let cases = [
            (
                "http://ada:secret@course:1",
                "/a",
                "http://REDACTED:REDACTED@course:1/a",
            ),
            (
                "http://a@b@course/",
                "/a",
                "http://REDACTED:REDACTED@course/a",
            ),
            (
                "http://course",
                "/a?token=secret&flag&x=1",
                "http://course/a?token=REDACTED&flag&x=REDACTED",
            ),
            (
                "http://course",
                "/a?token=secret=secret#secret",
                "http://course/a?token=REDACTED",
            ),
            ("http://course", "/a#secret?secret", "http://course/a"),
            ("http://course/secret?secret", "a", "http://course/a"),
            ("http://course#secret", "", "http://course/"),
            ("mailto:secret", "/secret", "REDACTED"),
        ];
        for (origin, path, shown) in cases {
            let target = Target::new(origin);
            assert_eq!(target.url(path).to_string(), shown, "{origin} {path}");
        }
    }
}
