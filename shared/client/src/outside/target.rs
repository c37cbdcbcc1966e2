//! An address somebody has named, and how far requests may go.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

use super::address::is_public;

/// The longest address that is taken, in bytes: what browsers and proxies take for sure.
const MAX_LENGTH: usize = 2_000;

/// How far requests may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To the public Internet, with https.
    Public,
    /// Also within the machine and its network, and with http: for development.
    Anywhere,
}

impl Reach {
    /// Whether it goes as far as to this address.
    pub(super) fn allows(self, address: IpAddr) -> bool {
        self == Self::Anywhere || is_public(address)
    }
}

/// Where to send: an absolute URL without a user and without a fragment.
///
/// Its path and its query may be what keeps others from sending there, so `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

/// Why something is no [`Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnfitTarget {
    /// Too long to be taken everywhere.
    #[error("must have at most {MAX_LENGTH} bytes")]
    TooLong,
    /// No URL, or one without a host.
    #[error("must be an absolute URL such as https://example.org/lyceum")]
    Malformed,
    /// Neither https nor, where that is allowed, http.
    #[error("must be a URL of https")]
    Scheme,
    /// A user, a password or a fragment stands in it.
    #[error("must have no user, no password and no fragment")]
    Excess,
    /// An address that is not public.
    #[error("must not lead into a private network")]
    Private,
}

impl UnfitTarget {
    /// A stable word, such as `private_address`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed_url",
            Self::Scheme => "unsupported_scheme",
            Self::Excess => "not_allowed_in_url",
            Self::Private => "private_address",
        }
    }
}

impl Target {
    /// Reads what somebody has typed. A name is not looked up: that is done when it is sent to.
    ///
    /// # Errors
    /// When nothing may be sent there.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, UnfitTarget> {
        if text.len() > MAX_LENGTH {
            return Err(UnfitTarget::TooLong);
        }
        let url: Url = text.parse().map_err(|_| UnfitTarget::Malformed)?;
        let scheme_fits = match url.scheme() {
            "https" => true,
            "http" => reach == Reach::Anywhere,
            _ => false,
        };
        if !scheme_fits {
            return Err(UnfitTarget::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(UnfitTarget::Excess);
        }
        let target = Self(url);
        if target.is_within(reach) {
            Ok(target)
        } else {
            Err(UnfitTarget::Private)
        }
    }

    /// As it is kept, and read again.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Host and port: who is at the other end.
    pub fn authority(&self) -> String {
        let port = self.0.port_or_known_default().unwrap_or_default();
        format!("{}:{port}", self.0.host_str().unwrap_or_default())
    }

    /// Whether it may be sent to, as far as can be told without looking its name up.
    pub(super) fn is_within(&self, reach: Reach) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.parse().map_or(true, |address| reach.allows(address))
    }

    pub(super) const fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({}://{})", self.0.scheme(), self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> Result<String, UnfitTarget> {
        Target::parse(text, Reach::Public).map(|target| target.as_str().to_owned())
    }

    #[test]
    fn a_public_address_is_taken_and_read_again_as_it_was_kept() {
        let kept = public("https://Example.org:8443/hooks?key=a b").unwrap();
        assert_eq!(kept, "https://example.org:8443/hooks?key=a%20b");
        assert_eq!(public(&kept), Ok(kept));
    }

    #[test]
    fn an_address_of_a_private_place_is_refused_however_it_is_written() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "169.254.169.254",
            "10.0.0.1:8443",
            "0.0.0.0",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[fd00:ec2::254]",
        ] {
            let text = format!("https://{host}/");
            assert_eq!(public(&text), Err(UnfitTarget::Private), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_to_send_to_is_refused() {
        for (text, why) in [
            ("", UnfitTarget::Malformed),
            ("/hooks", UnfitTarget::Malformed),
            ("https://", UnfitTarget::Malformed),
            ("http://example.org/", UnfitTarget::Scheme),
            ("file:///etc/passwd", UnfitTarget::Scheme),
            ("https://ada:secret@example.org/", UnfitTarget::Excess),
            ("https://example.org/#top", UnfitTarget::Excess),
        ] {
            assert_eq!(public(text), Err(why), "{text}");
        }
        let long = format!("https://example.org/{}", "x".repeat(MAX_LENGTH));
        assert_eq!(public(&long), Err(UnfitTarget::TooLong));
    }

    #[test]
    fn where_anything_goes_so_does_http_within_the_machine() {
        let target = Target::parse("http://127.0.0.1:9/x?key=hush", Reach::Anywhere).unwrap();
        assert_eq!(target.authority(), "127.0.0.1:9");
        assert!(!target.is_within(Reach::Public));
        assert!(!format!("{target:?}").contains("hush"));
    }
}
