//! Names to addresses: a service with replicas has one name and several.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hyper::Uri;

/// Longer than a name server on the same machine needs; its own clients wait five.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Every address behind `host:port`, each once, in an order of their own.
pub async fn resolve(target: &str) -> io::Result<Vec<SocketAddr>> {
    let found = tokio::time::timeout(TIMEOUT, tokio::net::lookup_host(target)).await;
    let slow = |_| {
        let words = format!("no name server answers in {} s", TIMEOUT.as_secs());
        io::Error::new(io::ErrorKind::TimedOut, words)
    };
    let mut addresses: Vec<_> = found.map_err(slow)??.collect();
    addresses.sort_unstable();
    addresses.dedup();
    Ok(addresses)
}

/// The base URL of every replica behind `base_url`, such as `http://user:9001`; none when the
/// name is not known, or when it is no URL.
pub async fn replicas(base_url: &str) -> Vec<String> {
    let Some((host, port)) = host_and_port(base_url) else {
        return Vec::new();
    };
    let addresses = resolve(&format!("{host}:{port}")).await.unwrap_or_default();
    addresses
        .into_iter()
        .map(|address| format!("http://{address}"))
        .collect()
}

fn host_and_port(base_url: &str) -> Option<(String, u16)> {
    let url: Uri = base_url.parse().ok()?;
    Some((url.host()?.to_owned(), url.port_u16().unwrap_or(80)))
}

/// Where to ask for what listens on `address` of this very machine.
pub fn local(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_base_url_becomes_one_per_address() {
        assert_eq!(
            replicas("http://127.0.0.1:9001").await,
            ["http://127.0.0.1:9001"]
        );
        assert_eq!(replicas("http://127.0.0.1").await, ["http://127.0.0.1:80"]);
        assert_eq!(replicas("http://[::1]:9001").await, ["http://[::1]:9001"]);
    }

    #[tokio::test]
    async fn what_is_not_known_has_no_address() {
        // RFC 6761: never resolves.
        assert!(replicas("http://course.invalid:9002").await.is_empty());
        assert!(replicas("not a URL").await.is_empty());
    }

    #[test]
    fn a_listener_on_all_interfaces_is_asked_on_loopback() {
        let asked = |listens: &str| local(listens.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:8000"), "127.0.0.1:8000");
        assert_eq!(asked("[::]:8000"), "[::1]:8000");
        assert_eq!(asked("10.0.0.1:8000"), "10.0.0.1:8000");
    }
}
