//! Which pages may listen (ASVS 5 §4.4.2): those of this host, and those that are listed. Pure.
//!
//! Only browsers say where a page is from, and they cannot be made to lie about it by the page.

use actix_web::http::header::{self, HeaderMap};
use lyceum_chassis::http::origin_authority;

/// Whether a request with these headers comes from no page, from one of this host, or from one of
/// the `allowed` origins (`https://app.example.org`).
pub(super) fn may_listen(headers: &HeaderMap, allowed: &[String]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN);
    let Some(origin) = origins.next() else {
        return true;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let is_ours = host.is_some_and(|host| {
        origin_authority(origin).is_some_and(|authority| authority.eq_ignore_ascii_case(host))
    });
    let is_listed = allowed.iter().any(|it| it.eq_ignore_ascii_case(origin));
    origins.next().is_none() && (is_ours || is_listed)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn from(origin: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("learn.test:8003"));
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        may_listen(&headers, &["https://app.test".to_owned()])
    }

    #[test]
    fn pages_of_this_host_and_of_those_listed_may_and_no_others() {
        for origin in [
            "http://learn.test:8003",
            "https://LEARN.test:8003",
            "https://app.test",
            "HTTPS://app.test",
        ] {
            assert!(from(origin), "{origin}");
        }
        for origin in [
            "https://evil.test",
            "null",
            "",
            "https://app.test.evil.test",
            "https://app.test/",
            "http://app.test",
            "http://learn.test",
            "http://learn.test:8003@evil.test",
            "http://evil.test#learn.test:8003",
            "learn.test:8003",
        ] {
            assert!(!from(origin), "{origin}");
        }
    }

    #[test]
    fn two_origins_are_none_and_no_origin_is_no_page() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("learn.test"));
        assert!(may_listen(&headers, &[]));
        for _ in 0..2 {
            headers.append(
                header::ORIGIN,
                HeaderValue::from_static("http://learn.test"),
            );
        }
        assert!(!may_listen(&headers, &[]));
    }
}
