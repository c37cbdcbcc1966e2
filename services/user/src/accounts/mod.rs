//! Who there is: accounts are registered, read, changed, listed, looked up, shut and deleted.

pub(crate) mod admins;
pub(crate) mod commands;
pub(crate) mod create_admin;
pub(crate) mod directory;
mod domain;
mod first_admin;
pub(crate) mod handlers;
pub(crate) mod listing;
mod requests;
mod retention;
pub(crate) mod standing;
pub(crate) mod store;
mod view;

pub(crate) use self::domain::{Email, FullName};
pub(crate) use self::first_admin::{FirstAdmin, ensure, ensure_later};
pub(crate) use self::requests::RoleRule;
pub(crate) use self::retention::eraser;
pub(crate) use self::view::Account;
