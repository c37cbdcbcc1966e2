//! Reads from a URL what a span may show: host, port, and the URL without its secrets.
//! Query values can be tokens, mail addresses or cursors, so all are replaced; the keys stay, they name the call.

/// Stands where a value was (semantic conventions, `url.full`).
const REDACTED: &str = "REDACTED";

/// Where a request goes.
pub(super) struct Target<'a> {
    pub(super) host: &'a str,
    pub(super) port: Option<u16>,
    pub(super) redacted: String,
}

impl<'a> Target<'a> {
    /// Never fails: of a text that is no URL, only `REDACTED` is shown.
    pub(super) fn of(url: &'a str) -> Self {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Self {
                host: "",
                port: None,
                redacted: REDACTED.to_owned(),
            };
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
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
        Self {
            host,
            port: port.or(default),
            redacted: format!("{scheme}://{credentials}{address}{}", without_values(tail)),
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

/// `/users?limit=5&after#top` → `/users?limit=REDACTED&after`.
fn without_values(tail: &str) -> String {
    let tail = tail.split('#').next().unwrap_or_default();
    let Some((path, query)) = tail.split_once('?') else {
        return tail.to_owned();
    };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) => format!("{key}={REDACTED}"),
        None => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
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
            let target = Target::of(url);
            assert_eq!((target.host, target.port), (host, port), "{url}");
        }
    }

    #[test]
    fn secrets_never_reach_the_span() {
        let cases = [
            (
                "http://ada:secret@course:1/a",
                "http://REDACTED:REDACTED@course:1/a",
            ),
            ("http://a@b@course/a", "http://REDACTED:REDACTED@course/a"),
            (
                "http://course/a?token=secret&flag&x=1",
                "http://course/a?token=REDACTED&flag&x=REDACTED",
            ),
            (
                "http://course/a?token=secret=secret#secret",
                "http://course/a?token=REDACTED",
            ),
            ("http://course#secret", "http://course"),
            ("mailto:secret", "REDACTED"),
        ];
        for (url, shown) in cases {
            assert_eq!(Target::of(url).redacted, shown, "{url}");
        }
    }
}
