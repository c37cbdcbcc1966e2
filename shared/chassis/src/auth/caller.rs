//! Who is calling, as handlers are told.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lyceum_client::ServiceName;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use time::OffsetDateTime;

use super::authenticator::{Checked, authenticate, invalid};
use super::permission;
use super::token::InvalidToken;
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

    /// A service's valid token is none of a person's.
    pub(super) fn person(&self) -> Result<CurrentUser, ApiError> {
        match self {
            Self::User(person) => Ok(*person),
            Self::Service(_) => Err(invalid(InvalidToken)),
        }
    }
}

impl FromRequest for CurrentUser {
    type Error = ApiError;
    type Future = Checked<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authenticate(request, |caller| caller.person())
    }
}

impl FromRequest for ServiceCaller {
    type Error = ApiError;
    type Future = Checked<Self>;

    /// A person's valid token is known and not enough: 403.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authenticate(request, |caller| match caller {
            Caller::Service(service) => Ok(service),
            Caller::User(person) => Err(permission::forbidden(person)),
        })
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Checked<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authenticate(request, Ok)
    }
}
