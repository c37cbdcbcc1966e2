//! Many accounts in one request: `POST` and `PATCH /users/bulk`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::UserId;
use crate::problem::Problem;
use crate::role::Role;
use crate::user::{AccountStatus, User};

/// The most items of one request (as Ory Kratos has it).
pub const MAX_BULK: usize = 1_000;
/// The most of them with a password, each of which takes a hash of some 20 ms (as Ory Kratos has it).
pub const MAX_BULK_PASSWORDS: usize = 200;

/// Whether items stand and fall together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkMode {
    /// All or none.
    #[default]
    Atomic,
    /// Each for itself.
    Partial,
}

/// Body of `POST /users/bulk`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreateUsers {
    /// All or none, or each for itself.
    #[serde(default)]
    pub mode: BulkMode,
    /// 1 to [`MAX_BULK`], at most [`MAX_BULK_PASSWORDS`] of them with a password.
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<NewUser>,
}

/// Somebody who is to have an account.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewUser {
    /// Where the person is reached; unique without regard to case.
    pub email: String,
    /// 1 to 200 characters, one line.
    pub full_name: String,
    /// Student or instructor; a student when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// 8 to 128 characters; without one the person is invited by mail to choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// What `POST /users/bulk` answers when all items were to stand or fall together, and stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedUsers {
    /// The accounts, in the order of the request.
    pub items: Vec<User>,
}

/// Body of `PATCH /users/bulk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpdateUsers {
    /// 1 to [`MAX_BULK`], each of another account.
    #[schema(min_items = 1, max_items = 1000)]
    pub items: Vec<UserChange>,
}

/// What is to change of one account; what is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserChange {
    /// Whose.
    pub id: UserId,
    /// The version last seen: with another one there, nothing changes. Left out, it changes anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// 1 to 200 characters, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<String>,
    /// Student, instructor or admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// `active` or `disabled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
}

/// How each item of a request went: the body of a 207.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkResults {
    /// One for each item, in the order of the request.
    pub items: Vec<BulkResult>,
}

/// How one item went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// Its place in the request, from 0.
    pub index: usize,
    /// The status the item would have been answered with alone.
    pub status: u16,
    /// The account as it is now, when the item had its effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// Why it had none; pointers begin at the body of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Addresses, names and passwords stay out of whatever prints these.
macro_rules! opaque_debug {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}
opaque_debug!(CreateUsers, NewUser);
