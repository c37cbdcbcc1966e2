//! From the token of a request to who sent it.

use std::future::{Ready, ready};

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, web};
use futures_util::future::{Either, LocalBoxFuture};
use jsonwebtoken::{Algorithm, Header, decode_header};
use lyceum_client::Identity;
use lyceum_contracts::problem::ProblemKind;

use super::keys::{KeyError, UserKeys};
use super::revocations::Revocations;
use super::settings::AuthSettings;
use super::token::{self, InvalidToken};
use super::verified::{TokenDigest, Verified};
use super::{Caller, CurrentUser, ServiceCaller};
use crate::clock;
use crate::http::ApiError;

/// Verifies tokens; one per server, shared by its workers.
#[derive(Debug, Clone)]
pub struct Authenticator {
    users: UserKeys,
    revocations: Revocations,
    verified: Verified,
    services: Identity,
}

impl Authenticator {
    /// Make it after telemetry has been set up.
    pub fn new(
        users: UserKeys,
        revocations: Revocations,
        services: Identity,
        settings: AuthSettings,
    ) -> Self {
        Self {
            users,
            revocations,
            verified: Verified::new(settings.verified_tokens),
            services,
        }
    }

    /// Who came with this token a moment ago, unless it has been called in since.
    fn remembered(&self, digest: &TokenDigest) -> Option<Result<Caller, ApiError>> {
        let generation = self.users.generation();
        let person = self.verified.get(digest, generation, clock::now())?;
        Some(self.unless_revoked(person).map(Caller::User))
    }

    /// The algorithm only chooses which verifier refuses: each accepts exactly one.
    async fn verify(&self, token: &str, digest: TokenDigest) -> Result<Caller, ApiError> {
        let header = decode_header(token).map_err(|_| invalid(InvalidToken))?;
        if header.alg == Algorithm::HS256 {
            self.service(token).map(Caller::Service)
        } else {
            self.person(token, header, digest).await.map(Caller::User)
        }
    }

    async fn person(
        &self,
        token: &str,
        header: Header,
        digest: TokenDigest,
    ) -> Result<CurrentUser, ApiError> {
        let id = token::key_id(header).map_err(invalid)?;
        // Looked at before the keys are: those that come meanwhile make this one be verified anew.
        let generation = self.users.generation();
        let key = self.users.get(&id).await.map_err(|error| match error {
            KeyError::Unknown => invalid(InvalidToken),
            KeyError::Unavailable(peer) => ApiError::from(peer),
        })?;
        let person = token::verify(token, &key).map_err(invalid)?;
        self.verified.insert(digest, generation, person);
        self.unless_revoked(person)
    }

    fn unless_revoked(&self, person: CurrentUser) -> Result<CurrentUser, ApiError> {
        if self.revocations.revokes(&person) {
            return Err(invalid(InvalidToken));
        }
        Ok(person)
    }

    fn service(&self, token: &str) -> Result<ServiceCaller, ApiError> {
        let name = self
            .services
            .verify(token)
            .map_err(|_| invalid(InvalidToken))?;
        Ok(ServiceCaller { name })
    }
}

/// RFC 6750 §3.1: the token is there and does not count.
pub(super) fn invalid(InvalidToken: InvalidToken) -> ApiError {
    challenge("Bearer error=\"invalid_token\"")
}

fn challenge(text: &'static str) -> ApiError {
    ApiError::of(ProblemKind::Unauthenticated)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static(text))
}

/// The token of `Authorization: Bearer …`; a token anywhere else is none.
fn bearer(request: &HttpRequest) -> Result<&str, ApiError> {
    request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| challenge("Bearer"))
}

/// What an extractor waits for: nothing, when the token is remembered.
pub type Checked<T> =
    Either<Ready<Result<T, ApiError>>, LocalBoxFuture<'static, Result<T, ApiError>>>;

/// Finds out who sent the request, and lets `admit` say whether that is somebody to pass.
pub(super) fn authenticate<T: 'static>(
    request: &HttpRequest,
    admit: fn(Caller) -> Result<T, ApiError>,
) -> Checked<T> {
    let authenticator = request.app_data::<web::Data<Authenticator>>();
    let (authenticator, token) = match (authenticator, bearer(request)) {
        (Some(authenticator), Ok(token)) => (authenticator, token),
        (Some(_), Err(error)) => return Either::Left(ready(Err(error))),
        (None, _) => {
            let error = anyhow::anyhow!("no authenticator in the app");
            return Either::Left(ready(Err(ApiError::internal(error))));
        }
    };
    let digest = Verified::digest(token);
    if let Some(known) = authenticator.remembered(&digest) {
        return Either::Left(ready(known.and_then(admit)));
    }
    let (authenticator, token) = (authenticator.clone(), token.to_owned());
    Either::Right(Box::pin(async move {
        admit(authenticator.verify(&token, digest).await?)
    }))
}
