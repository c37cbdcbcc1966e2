//! How many people's tokens are remembered.

use serde::{Deserialize, Serialize};

/// The section `auth`.
#[derive(Debug, Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// Access tokens whose signatures are not checked again when they come once more; 0 checks
    /// every time.
    pub verified_tokens: u64,
}
