//! An account as each kind of caller sees it: three types, so that no field slips out.

use lyceum_contracts::user::{Contact, User, UserProfile};

use crate::entity::user::Model;

/// For its owner and for admins.
impl From<Model> for User {
    fn from(user: Model) -> Self {
        Self {
            id: user.id,
            email: user.email,
            full_name: user.full_name,
            role: user.role,
            version: user.version,
            created_at: user.created_at,
            status: user.status,
        }
    }
}

/// For anybody else who is signed in.
impl From<Model> for UserProfile {
    fn from(user: Model) -> Self {
        Self {
            id: user.id,
            full_name: user.full_name,
        }
    }
}

/// For the services.
impl From<Model> for Contact {
    fn from(user: Model) -> Self {
        Self {
            id: user.id,
            email: user.email,
            full_name: user.full_name,
            role: user.role,
        }
    }
}
