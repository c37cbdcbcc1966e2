//! The tables as sea-orm sees them. Rules live with the domain, names of constraints in `migration`.

pub(crate) mod audit_entry;
pub(crate) mod import;
pub(crate) mod job;
pub(crate) mod mailed_link;
pub(crate) mod mailed_link_token;
pub(crate) mod refresh_token;
pub(crate) mod revocation;
pub(crate) mod session;
pub(crate) mod signing_key;
pub(crate) mod user;
