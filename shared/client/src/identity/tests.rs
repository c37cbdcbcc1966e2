//! Which tokens count. Time is an argument: nothing sleeps.

use serde_json::json;

use super::*;

const OLD: &str = "an older secret of 32 bytes, at least";
const NEW: &str = "a newer secret of 32 bytes, at least!";
/// Seconds since the epoch.
const NOW: u64 = 1_800_000_000;

fn identity(service: &'static str, secrets: &[&str]) -> Identity {
    let secrets = secrets
        .iter()
        .map(|secret| SecretString::from(*secret))
        .collect();
    Identity::new(service, &ServiceAuthSettings { secrets }).unwrap()
}

/// A token made by hand, to lie in one point.
fn forge(header: &Header, claims: &serde_json::Value) -> String {
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(OLD.as_bytes())).unwrap()
}

fn honest_header() -> Header {
    Header {
        typ: Some(TOKEN_TYPE.to_owned()),
        ..Header::new(Algorithm::HS256)
    }
}

fn honest_claims() -> serde_json::Value {
    json!({"iss": "user", "aud": "course", "iat": NOW, "exp": NOW + 60, "jti": "1"})
}

fn course_says(token: &str) -> Result<String, TokenError> {
    let course = identity("course", &[OLD]);
    course.verify_at(token, NOW).map(|name| name.to_string())
}

#[test]
fn a_peer_learns_who_is_calling() {
    let token = identity("user", &[OLD]).mint_at("course", NOW);
    assert_eq!(course_says(&token), Ok("user".to_owned()));
    assert_eq!(
        course_says(&forge(&honest_header(), &honest_claims())),
        Ok("user".to_owned())
    );
}

#[test]
fn a_token_counts_for_a_minute_and_half_a_minute_of_clock_skew() {
    let token = identity("user", &[OLD]).mint_at("course", NOW);
    let course = identity("course", &[OLD]);
    assert!(course.verify_at(&token, NOW + 90).is_ok());
    assert_eq!(course.verify_at(&token, NOW + 91), Err(TokenError::Expired));
    assert!(course.verify_at(&token, NOW - 30).is_ok());
    assert_eq!(
        course.verify_at(&token, NOW - 31),
        Err(TokenError::NotYetValid)
    );
}

#[test]
fn a_token_that_lies_in_one_point_is_refused_for_that_point() {
    let with = |key: &str, value: serde_json::Value| {
        let mut claims = honest_claims();
        claims[key] = value;
        forge(&honest_header(), &claims)
    };
    assert_eq!(
        course_says(&with("aud", json!("notification"))),
        Err(TokenError::Audience)
    );
    assert_eq!(
        course_says(&with("iss", json!(""))),
        Err(TokenError::Issuer)
    );
    assert_eq!(
        course_says(&with("iss", json!("user\n"))),
        Err(TokenError::Issuer)
    );
    assert_eq!(
        course_says(&with("exp", json!(NOW - 31))),
        Err(TokenError::Expired)
    );
    assert_eq!(
        course_says(&with("nbf", json!(NOW + 31))),
        Err(TokenError::NotYetValid)
    );
    assert_eq!(
        course_says(&with("exp", json!("soon"))),
        Err(TokenError::Unreadable)
    );

    let typed = |typ: Option<&str>| Header {
        typ: typ.map(str::to_owned),
        ..honest_header()
    };
    for typ in [None, Some("JWT"), Some("at+jwt")] {
        assert_eq!(
            course_says(&forge(&typed(typ), &honest_claims())),
            Err(TokenError::Type)
        );
    }
    let header = Header {
        alg: Algorithm::HS512,
        ..honest_header()
    };
    assert_eq!(
        course_says(&forge(&header, &honest_claims())),
        Err(TokenError::Algorithm)
    );
}

#[test]
fn what_is_no_token_is_refused_without_a_panic() {
    for text in [
        "",
        ".",
        "..",
        "a.b.c",
        "Bearer x",
        "\u{fffd}.\u{fffd}.\u{fffd}",
    ] {
        assert_eq!(course_says(text), Err(TokenError::Unreadable), "{text:?}");
    }
}

#[test]
fn a_stranger_s_signature_does_not_count() {
    let token = identity("user", &[NEW]).mint_at("course", NOW);
    assert_eq!(course_says(&token), Err(TokenError::Signature));
}

#[test]
fn while_a_secret_is_rotated_old_and_new_tokens_count() {
    let course = identity("course", &[NEW, OLD]);
    for secret in [NEW, OLD] {
        let token = identity("user", &[secret]).mint_at("course", NOW);
        assert!(course.verify_at(&token, NOW).is_ok());
    }
    let signed = course.mint_at("user", NOW);
    assert!(identity("user", &[NEW]).verify_at(&signed, NOW).is_ok());
    assert!(identity("user", &[OLD]).verify_at(&signed, NOW).is_err());
}

#[test]
fn a_header_is_made_anew_every_half_minute() {
    let credential = Credential::new(&identity("user", &[OLD]), "course");
    let first = credential.header_at(NOW);
    assert_eq!(credential.header_at(NOW + 29), first);
    assert_ne!(credential.header_at(NOW + 30), first);
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_a_token_of_the_future() {
    let credential = Credential::new(&identity("user", &[OLD]), "course");
    credential.header_at(NOW + 3_600);
    let header = credential.header_at(NOW);
    let token = header.to_str().unwrap().strip_prefix("Bearer ").unwrap();
    assert_eq!(course_says(token), Ok("user".to_owned()));
}

#[test]
fn no_secret_or_a_short_one_is_refused_by_the_name_of_the_key() {
    for secrets in [vec![], vec![SecretString::from("short")]] {
        let error = Identity::new("user", &ServiceAuthSettings { secrets }).unwrap_err();
        assert_eq!(error.key, "service_auth.secrets");
    }
}

#[test]
fn secrets_show_in_neither_debug_nor_printed_settings() {
    let settings = ServiceAuthSettings {
        secrets: vec![SecretString::from(OLD)],
    };
    let printed = serde_json::to_string(&settings).unwrap();
    assert_eq!(printed, r#"{"secrets":["***"]}"#);
    let identity = Identity::new("user", &settings).unwrap();
    for text in [format!("{settings:?}"), format!("{identity:?}")] {
        assert!(!text.contains("older"), "{text}");
    }
}
