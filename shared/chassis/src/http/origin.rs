//! Where a page is from, as its browser writes it in `Origin` (RFC 6454, §7). Pure.

/// `host:port` of an origin such as `https://app.example.org`; `None` of anything else, a path or a
/// slash at the end included.
pub fn origin_authority(origin: &str) -> Option<&str> {
    let rest = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"))?;
    let uri: actix_web::http::Uri = rest.parse().ok()?;
    let whole = uri.authority()?.as_str();
    (whole == rest && !whole.contains('@')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_an_authority_and_nothing_more() {
        for (origin, authority) in [
            ("https://app.test", Some("app.test")),
            ("http://localhost:8003", Some("localhost:8003")),
            ("http://[::1]:8003", Some("[::1]:8003")),
            ("https://app.test/", None),
            ("https://app.test/page", None),
            ("https://ada@app.test", None),
            ("ftp://app.test", None),
            ("app.test", None),
            ("null", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(origin_authority(origin), authority, "{origin}");
        }
    }
}
