//! Tokens of the kit, verified by the library the services verify with.

#![expect(clippy::expect_used, reason = "a helper that fails ends its test")]

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_testing::http::Client;
use lyceum_testing::identity::{TestUsers, service_token};
use serde_json::{Value, json};

#[tokio::test]
async fn a_token_is_verified_with_the_keys_that_are_served() {
    let users = TestUsers::new();
    let user_service = users.serve();
    let client = Client::new(user_service.url());
    let served = client.get("/.well-known/jwks.json").send().await;
    let token = users.instructor(7);

    let header = decode_header(&token).expect("a header");
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let claims = verify(&token, &served.expect(200).json()).expect("a valid token");
    assert_eq!(claims["sub"], "7");
    assert_eq!(claims["role"], "instructor");
}

#[test]
fn the_same_seed_is_the_same_issuer() {
    let seed = [7; 32];
    let token = TestUsers::with_key(seed).student(UserId::try_from(7).expect("an id"));
    verify(&token, &jwks(&TestUsers::with_key(seed))).expect("a valid token");
    assert_ne!(TestUsers::new().jwks(), TestUsers::new().jwks());
}

#[test]
fn wrong_tokens_are_wrong_in_just_one_way() {
    let users = TestUsers::new();
    let jwks = jwks(&users);
    let token = || users.token(7, Role::Admin);
    let refused = |token: &str| verify(token, &jwks).expect_err("it is wrong");
    for (wrong, reason) in [
        (token().expired().sign(), ErrorKind::ExpiredSignature),
        (
            token().claim("aud", "other").sign(),
            ErrorKind::InvalidAudience,
        ),
        (
            token().claim("iss", "other").sign(),
            ErrorKind::InvalidIssuer,
        ),
        (token().sign_as_stranger(), ErrorKind::InvalidSignature),
        (token().sign_with_public_key(), ErrorKind::InvalidAlgorithm),
    ] {
        assert_eq!(refused(&wrong), reason);
    }
    let missing = token().claim("exp", Value::Null).sign();
    assert_eq!(
        refused(&missing),
        ErrorKind::MissingRequiredClaim("exp".to_owned())
    );
    // The library does not even know `none`.
    assert!(matches!(refused(&token().unsigned()), ErrorKind::Json(_)));

    let stray = token()
        .parameter("typ", "JWT")
        .parameter("kid", "stray")
        .sign();
    let header = decode_header(&stray).expect("a header");
    assert_eq!(
        (header.typ.as_deref(), header.kid.as_deref()),
        (Some("JWT"), Some("stray"))
    );
}

#[test]
fn a_service_token_names_both_ends() {
    let secret = "a secret of at least thirty-two bytes";
    let token = service_token("course", "user", secret);
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_audience(&["user"]);
    rules.set_issuer(&["course"]);
    let key = DecodingKey::from_secret(secret.as_bytes());
    let claims = decode::<Value>(&token, &key, &rules)
        .expect("a valid token")
        .claims;
    let lifetime = json!(
        claims["exp"]
            .as_u64()
            .zip(claims["iat"].as_u64())
            .map(|(e, i)| e - i)
    );
    assert_eq!(lifetime, 60);
}

fn jwks(users: &TestUsers) -> JwkSet {
    serde_json::from_value(users.jwks()).expect("a key set")
}

fn verify(token: &str, keys: &JwkSet) -> Result<Value, ErrorKind> {
    let header = decode_header(token).map_err(jsonwebtoken::errors::Error::into_kind)?;
    let key = keys
        .find(&header.kid.expect("a key id"))
        .expect("a known key");
    let key = DecodingKey::from_jwk(key).expect("a usable key");
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.set_audience(&["lyceum"]);
    rules.set_issuer(&["lyceum-user"]);
    let decoded = decode::<Value>(token, &key, &rules);
    decoded
        .map(|token| token.claims)
        .map_err(jsonwebtoken::errors::Error::into_kind)
}
