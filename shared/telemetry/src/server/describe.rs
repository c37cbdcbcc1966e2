//! What a request says about itself, in the words of the stable HTTP conventions.
//! Only closed sets may become metric attributes; free text goes to the span, cut to a bounded length.

use actix_web::{
    dev::ServiceRequest,
    http::{Version, header},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

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
}

/// Records the parts that a request may or may not have. `client.address` is the peer of the socket.
pub(super) fn record(span: &Span, request: &ServiceRequest, method: Option<&'static str>) {
    if method.is_none() {
        span.set_attribute(
            "http.request.method_original",
            clip(request.method().as_str()).to_owned(),
        );
    }
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    if let Some(authority) =
        host.and_then(|host| host.parse::<actix_web::http::uri::Authority>().ok())
    {
        span.set_attribute("server.address", clip(authority.host()).to_owned());
        if let Some(port) = authority.port_u16() {
            span.set_attribute("server.port", i64::from(port));
        }
    }
    if let Some(peer) = request.peer_addr() {
        span.set_attribute("client.address", peer.ip().to_string());
    }
    let agent = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    if let Some(agent) = agent {
        span.set_attribute("user_agent.original", clip(agent).to_owned());
    }
}

/// The longest beginning of `text` that fits an attribute.
pub(super) fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_TEXT)]
}

/// A route template as people write it: actix keeps the regular expression of a segment, `{id:\d+}`; readers
/// and dashboards want `{id}`.
pub(super) fn template(pattern: &str) -> String {
    let mut template = String::with_capacity(pattern.len());
    let mut depth = 0_usize;
    let mut in_expression = false;
    for character in pattern.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ':' if depth == 1 => in_expression = true,
            _ => {}
        }
        if depth == 0 {
            in_expression = false;
        }
        if !in_expression {
            template.push(character);
        }
    }
    template
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_leave_the_template() {
        let cases = [
            ("/users/{id}", "/users/{id}"),
            (r"/users/{id:\d{1,9}}/courses", "/users/{id}/courses"),
            ("/files/{tail:.*}", "/files/{tail}"),
            ("/a:b/{x}", "/a:b/{x}"),
            ("/", "/"),
        ];
        for (pattern, shown) in cases {
            assert_eq!(template(pattern), shown);
        }
    }

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
