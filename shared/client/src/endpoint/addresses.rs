//! The addresses behind a name. A name that never had more than one is left to the connection; of
//! one with several, as of a service with replicas, each is an endpoint of its own, or a dead one
//! would be tried as often as a live one.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Url;

use super::{Location, Wiring};

/// What was last heard of each name that has, or had, several addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Addresses(HashMap<(String, u16), Vec<SocketAddr>>);

impl Addresses {
    /// Where to send for `origins`.
    pub(crate) fn locations(&self, origins: Vec<Url>) -> Vec<Location> {
        let mut locations = Vec::with_capacity(origins.len());
        for origin in origins {
            let known = name(&origin).and_then(|name| self.0.get(&name));
            let addresses = known.into_iter().flatten();
            let before = locations.len();
            locations.extend(addresses.map(|address| Location {
                origin: origin.clone(),
                address: Some(*address),
            }));
            if locations.len() == before {
                let address = None;
                locations.push(Location { origin, address });
            }
        }
        locations
    }

    /// Asks for the addresses of every name in `origins`. A name that cannot be looked up now
    /// keeps what was last heard of it.
    pub(crate) async fn looked_up(
        &self,
        origins: &[Url],
        wiring: &Wiring,
        patience: Duration,
    ) -> Self {
        let mut heard = HashMap::new();
        for name in origins.iter().filter_map(name) {
            let known = self.0.get(&name);
            let looked_up = tokio::time::timeout(patience, wiring.look_up(&name.0, name.1)).await;
            let addresses = match (looked_up, known) {
                (Ok(Ok(addresses)), _) if !addresses.is_empty() => of_one_family(addresses),
                (_, Some(known)) => known.clone(),
                (_, None) => continue,
            };
            // The last of several stays the endpoint it was, with all that is known of it.
            if addresses.len() > 1 || known.is_some() {
                heard.insert(name, addresses);
            }
        }
        Self(heard)
    }
}

/// Host and port of a URL whose host is a name.
fn name(origin: &Url) -> Option<(String, u16)> {
    let name = origin.domain()?.to_owned();
    Some((name, origin.port_or_known_default()?))
}

/// The addresses of the first one's family, in order: a name with one address of each, such as
/// `localhost`, is one place and not two, and the resolver puts first what can be reached
/// (RFC 6724).
fn of_one_family(mut addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    addresses.retain(|address| address.is_ipv4() == is_v4);
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

/// What the machine's resolver says.
pub(super) async fn system(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((host, port)).await?.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn one_address_of_each_family_is_one_place() {
        let localhost = addresses(&["127.0.0.1:80", "[::1]:80"]);
        assert_eq!(of_one_family(localhost), addresses(&["127.0.0.1:80"]));
        let dual = addresses(&["[::2]:80", "10.0.0.2:80", "[::1]:80"]);
        assert_eq!(of_one_family(dual), addresses(&["[::1]:80", "[::2]:80"]));
    }
}
