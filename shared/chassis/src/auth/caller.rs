//! Extractors that say who is calling.

use std::future::Future;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use jsonwebtoken::{Algorithm, decode_header};
use lyceum_client::{Identity, ServiceName};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::problem::ProblemKind;
use lyceum_contracts::role::Role;
use time::OffsetDateTime;

use super::keys::{KeyError, UserKeys};
use super::permission;
use super::revocations::Revocations;
use super::token::{self, InvalidToken};
use crate::http::ApiError;

/// A person with a valid access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentUser {
    /// Who.
    pub id: UserId,
    /// As what.
    pub role: Role,
    /// The session the token was issued in.
    pub session_id: i64,
    /// How often the person's tokens had been called in when it was issued.
    pub token_version: i64,
    /// When the token ends (UTC); a stream does not outlive it.
    pub expires_at: OffsetDateTime,
}

impl CurrentUser {
    /// Whether the person is `user` or an admin.
    pub fn is_or_administers(&self, user: UserId) -> bool {
        self.id == user || self.role == Role::Admin
    }
}

/// A service of the platform with a valid service token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCaller {
    /// Its short name, such as `course`.
    pub name: ServiceName,
}

/// A person or a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A person.
    User(CurrentUser),
    /// A service, which may ask about anybody.
    Service(ServiceCaller),
}

impl Caller {
    /// Whether the caller may see what belongs to `user`.
    pub fn may_see(&self, user: UserId) -> bool {
        match self {
            Self::User(person) => person.is_or_administers(user),
            Self::Service(_) => true,
        }
    }
}

/// Verifies tokens; one per server, shared by its workers.
#[derive(Debug, Clone)]
pub struct Authenticator {
    users: UserKeys,
    revocations: Revocations,
    services: Identity,
}

impl Authenticator {
    pub(crate) fn new(users: UserKeys, revocations: Revocations, services: Identity) -> Self {
        Self {
            users,
            revocations,
            services,
        }
    }

    async fn user(&self, token: &str) -> Result<CurrentUser, ApiError> {
        let id = token::key_id(token).map_err(invalid)?;
        let key = self.users.get(&id).await.map_err(|error| match error {
            KeyError::Unknown => invalid(InvalidToken),
            KeyError::Unavailable(peer) => ApiError::from(peer),
        })?;
        let person = token::verify(token, &key).map_err(invalid)?;
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
fn invalid(InvalidToken: InvalidToken) -> ApiError {
    challenge("Bearer error=\"invalid_token\"")
}

fn challenge(text: &'static str) -> ApiError {
    ApiError::of(ProblemKind::Unauthenticated)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static(text))
}

/// The token of `Authorization: Bearer …`; a token anywhere else is none.
fn bearer(request: &HttpRequest) -> Result<String, ApiError> {
    request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim().to_owned())
        .ok_or_else(|| challenge("Bearer"))
}

/// Runs `check` with the request's token and the server's authenticator.
fn authenticate<T, F>(
    request: &HttpRequest,
    check: impl FnOnce(web::Data<Authenticator>, String) -> F + 'static,
) -> LocalBoxFuture<'static, Result<T, ApiError>>
where
    F: Future<Output = Result<T, ApiError>>,
{
    let token = bearer(request);
    let authenticator = request.app_data::<web::Data<Authenticator>>().cloned();
    Box::pin(async move {
        let authenticator = authenticator
            .ok_or_else(|| ApiError::internal(anyhow::anyhow!("no authenticator in the app")))?;
        check(authenticator, token?).await
    })
}

impl FromRequest for CurrentUser {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authenticate(request, |authenticator, token| async move {
            authenticator.user(&token).await
        })
    }
}

impl FromRequest for ServiceCaller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    /// A person's valid token is known and not enough: 403.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authenticate(request, |authenticator, token| async move {
            match authenticator.caller(&token).await? {
                Caller::Service(service) => Ok(service),
                Caller::User(user) => Err(permission::forbidden(user)),
            }
        })
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authenticate(request, |authenticator, token| async move {
            authenticator.caller(&token).await
        })
    }
}

impl Authenticator {
    /// The algorithm only chooses which verifier refuses: each accepts exactly one.
    async fn caller(&self, token: &str) -> Result<Caller, ApiError> {
        let header = decode_header(token).map_err(|_| invalid(InvalidToken))?;
        if header.alg == Algorithm::HS256 {
            self.service(token).map(Caller::Service)
        } else {
            self.user(token).await.map(Caller::User)
        }
    }
}
