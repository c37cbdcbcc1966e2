//! What a request says about itself, in the words of the stable HTTP conventions.
//! Only closed sets may become metric attributes; free text goes to the span, cut to a bounded length.

use actix_web::{
    dev::ServiceRequest,
    http::{Version, header, uri::Authority},
};
use tracing::{Span, field};

/// Longest free text kept in one attribute, in bytes: enough for any real path or agent.
const LONGEST_TEXT: usize = 512;

/// The methods of RFC 9110 and RFC 5789; any other word is `_OTHER`.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// The method if it is one of the known, which are case-sensitive.
pub(crate) fn known_method(method: &str) -> Option<&'static str> {
    METHODS.into_iter().find(|known| *known == method)
}

/// The parts of a request that come from closed sets.
pub(super) struct Request {
    pub(super) method: Option<&'static str>,
    pub(super) scheme: &'static str,
    pub(super) protocol: &'static str,
}

impl Request {
    /// The scheme is that of the listener: a header such as `X-Forwarded-Proto` is the client's word.
    pub(super) fn of(request: &ServiceRequest) -> Self {
        Self {
            method: known_method(request.method().as_str()),
            scheme: if request.app_config().secure() {
                "https"
            } else {
                "http"
            },
            protocol: match request.version() {
                Version::HTTP_09 => "0.9",
                Version::HTTP_10 => "1.0",
                Version::HTTP_2 => "2",
                Version::HTTP_3 => "3",
                _ => "1.1",
            },
        }
    }

    /// A span told all that is known before the answer. `client.address` is the peer of the socket.
    pub(super) fn span(&self, request: &ServiceRequest) -> Span {
        let header = |name| request.headers().get(name)?.to_str().ok();
        let host = header(header::HOST).and_then(|host| host.parse::<Authority>().ok());
        tracing::info_span!(
            parent: None,
            "http.server",
            otel.name = self.method.unwrap_or("HTTP"),
            otel.kind = "server",
            http.request.method = self.method.unwrap_or("_OTHER"),
            http.request.method_original = self.method.is_none().then(|| clip(request.method().as_str())),
            url.path = clip(request.path()),
            url.scheme = self.scheme,
            network.protocol.version = self.protocol,
            server.address = host.as_ref().map(|host| clip(host.host())),
            server.port = host.as_ref().and_then(Authority::port_u16).map(i64::from),
            client.address = request.peer_addr().map(|peer| field::display(peer.ip())),
            user_agent.original = header(header::USER_AGENT).map(clip),
        )
    }
}

/// The longest beginning of `text` that fits an attribute.
pub(super) fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_TEXT)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(known_method("GET"), Some("GET"));
        assert_eq!(known_method("get"), None);
        assert_eq!(known_method("BREW"), None);
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let text = "é".repeat(LONGEST_TEXT);
        assert_eq!(clip(&text).len(), LONGEST_TEXT);
        assert_eq!(clip(&format!("x{text}")).len(), LONGEST_TEXT - 1);
    }
}
