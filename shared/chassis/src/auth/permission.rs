//! Permissions as types: a handler cannot be read without seeing who may call it.

use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use lyceum_contracts::problem::ProblemKind;
use lyceum_contracts::role::Role;

use super::CurrentUser;
use super::authenticator::{Checked, authenticate};
use crate::http::ApiError;

/// Something only some roles may do; a service declares one empty type for each.
pub trait Permission: 'static {
    /// Who may.
    const ROLES: &'static [Role];
}

/// A person who has the permission `P`; anybody else is answered 401 or 403.
#[derive(Debug)]
pub struct Require<P> {
    user: CurrentUser,
    permission: PhantomData<P>,
}

impl<P> Deref for Require<P> {
    type Target = CurrentUser;

    fn deref(&self) -> &CurrentUser {
        &self.user
    }
}

impl<P: Permission> FromRequest for Require<P> {
    type Error = ApiError;
    type Future = Checked<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        authenticate(request, |caller| {
            let user = caller.person()?;
            if P::ROLES.contains(&user.role) {
                return Ok(Self {
                    user,
                    permission: PhantomData,
                });
            }
            Err(forbidden(user))
        })
    }
}

/// 403, and on record by id alone (ASVS 5 §16.3.2).
pub(super) fn forbidden(user: CurrentUser) -> ApiError {
    tracing::warn!(
        event = "auth.forbidden",
        user.id = user.id.get(),
        role = user.role.as_str(),
        "not allowed"
    );
    ApiError::of(ProblemKind::Forbidden)
}
