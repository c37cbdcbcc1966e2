//! Who is calling: the peer of the connection, or whom a trusted proxy names.
//!
//! Anybody can write `X-Forwarded-For`, so it is believed only from a proxy the settings name, and
//! only as far as such proxies have written it: the rightmost address that is none of them. What
//! comes of it is counted by and kept nowhere: an address is personal data.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::web::Data;
use ipnet::IpNet;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where proxies stand that tell the truth about their callers: networks such as `10.0.0.0/8`, or
/// single addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// As much of a caller's address as is counted by. One household or company has a whole /64 of
/// IPv6 (RFC 6177), so a single address of it means nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum CallerAddress {
    V4([u8; 4]),
    V6Network([u16; 4]),
}

impl CallerAddress {
    /// Whom a request counts for. A connection without an address, which no listener of ours has,
    /// counts with all others like it.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let peer = request.peer_addr().map(|peer| peer.ip());
        let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        let Some(trusted) = request.app_data::<Data<TrustedProxies>>() else {
            return peer.into();
        };
        // Several lines are one list (RFC 9110 §5.3).
        let lines = request.headers().get_all("x-forwarded-for");
        let texts: Vec<_> = lines
            .map(|line| line.to_str().unwrap_or_default())
            .collect();
        trusted.caller(peer, &texts.join(",")).into()
    }
}

impl From<IpAddr> for CallerAddress {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6Network([a, b, c, d])
            }
        }
    }
}

/// An address stays out of whatever prints this.
impl fmt::Debug for CallerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallerAddress(…)")
    }
}

impl TrustedProxies {
    /// Reads networks and addresses.
    ///
    /// # Errors
    /// The first text that is neither.
    pub fn parse<T: AsRef<str>>(texts: &[T]) -> Result<Self, NotANetwork> {
        let networks = texts.iter().map(|text| network(text.as_ref()));
        networks.collect::<Result<_, _>>().map(Self)
    }

    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The caller behind `peer`, which has sent this `X-Forwarded-For`.
    fn caller(&self, peer: IpAddr, forwarded: &str) -> IpAddr {
        let mut caller = peer;
        // The last entry was written by the peer, the one before it by whom the peer names, …
        for entry in forwarded.rsplit(',') {
            if !self.contains(caller) {
                break;
            }
            let Some(named) = address(entry.trim()) else {
                break;
            };
            caller = named;
        }
        caller
    }
}

/// An address, perhaps with a port, as some proxies add it.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let with_port = || text.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    bare.parse().ok().or_else(with_port)
}

/// A text that is no network.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is neither a network such as 10.0.0.0/8 nor an address")]
pub struct NotANetwork(String);

fn network(text: &str) -> Result<IpNet, NotANetwork> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse().or_else(|_| address());
    network.map_err(|_| NotANetwork(text.to_owned()))
}

impl<'de> Deserialize<'de> for TrustedProxies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        Self::parse(&texts).map_err(D::Error::custom)
    }
}

impl Serialize for TrustedProxies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(IpNet::to_string))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn caller(trusted: &[&str], peer: &str, forwarded: &str) -> String {
        let trusted = TrustedProxies::parse(trusted).unwrap();
        let caller = trusted.caller(peer.parse().unwrap(), forwarded);
        caller.to_canonical().to_string()
    }

    #[test]
    fn a_peer_that_is_not_trusted_names_nobody_but_itself() {
        assert_eq!(caller(&[], "203.0.113.9", "1.2.3.4"), "203.0.113.9");
        assert_eq!(
            caller(&["10.0.0.0/8"], "203.0.113.9", "1.2.3.4"),
            "203.0.113.9"
        );
    }

    #[test]
    fn a_trusted_peer_is_believed_as_far_as_trusted_proxies_have_written() {
        let trusted = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"];
        for (peer, forwarded, expected) in [
            ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
            ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
            ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
            ("10.0.0.1", "1.2.3.4, 192.0.2.7,10.0.0.2", "1.2.3.4"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("10.0.0.1", "1.2.3.4:5678", "1.2.3.4"),
            ("10.0.0.1", "[2001:db8::1]:5678", "2001:db8::1"),
            ("10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
            ("fd00::1", "2001:db8::1", "2001:db8::1"),
            // As a listener on [::] sees a peer of the old protocol.
            ("::ffff:10.0.0.1", "::ffff:1.2.3.4", "1.2.3.4"),
        ] {
            assert_eq!(caller(&trusted, peer, forwarded), expected, "{forwarded}");
        }
    }

    #[test]
    fn what_is_no_address_ends_the_belief() {
        for forwarded in [
            "",
            "unknown",
            "1.2.3.4, unknown",
            "1.2.3.4,,",
            "1.2.3.4 5.6.7.8",
        ] {
            let told = caller(&["10.0.0.0/8"], "10.0.0.1", forwarded);
            assert_eq!(told, "10.0.0.1", "{forwarded:?}");
        }
    }

    #[test]
    fn one_household_of_ipv6_is_one_caller_and_the_old_protocol_in_the_new_one_is_the_old() {
        let key = |text: &str| CallerAddress::from(text.parse::<IpAddr>().unwrap());
        assert!(key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9"));
        assert!(key("2001:db8:1:2::1") != key("2001:db8:1:3::1"));
        assert!(key("::ffff:1.2.3.4") == key("1.2.3.4"));
        assert!(key("1.2.3.4") != key("1.2.3.5"));
        assert_eq!(format!("{:?}", key("1.2.3.4")), "CallerAddress(…)");
    }

    #[test]
    fn what_is_neither_network_nor_address_is_told() {
        for text in ["", "10.0.0.0/33", "localhost", "10.0.0.0/8/8"] {
            let error = TrustedProxies::parse(&[text]).unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_an_untrusted_peer_writes_it_counts_for_itself(forwarded in "\\PC{0,60}") {
            prop_assert_eq!(caller(&["10.0.0.0/8"], "203.0.113.9", &forwarded), "203.0.113.9");
        }
    }
}
