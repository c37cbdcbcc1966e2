//! What is said of broadcasts in the log: ids, counts, words. No line holds what was told.

use lyceum_contracts::broadcast::AudienceKind;
use lyceum_contracts::ids::{BroadcastId, UserId};

use crate::entity::broadcast::Model;

/// An admin wants something told.
pub(super) fn asked_for(id: BroadcastId, audience: AudienceKind, author: UserId) {
    tracing::info!(
        event = "broadcast.asked_for",
        broadcast.id = id.get(),
        audience = audience.as_str(),
        user.id = author.get(),
        "a broadcast is on its way"
    );
}

/// An admin wants it told no further.
pub(super) fn cancelled(id: BroadcastId, admin: UserId) {
    tracing::info!(
        event = "broadcast.cancelled",
        broadcast.id = id.get(),
        user.id = admin.get(),
        "a broadcast was cancelled"
    );
}

/// Everybody is told.
pub(super) fn succeeded(broadcast: &Model) {
    tracing::info!(
        event = "broadcast.succeeded",
        broadcast.id = broadcast.id.get(),
        told = broadcast.told,
        skipped = broadcast.skipped,
        "a broadcast has reached everybody it is for"
    );
}

/// Nobody more will be told.
pub(super) fn failed(broadcast: &Model, reason: &str) {
    tracing::error!(
        event = "broadcast.failed",
        broadcast.id = broadcast.id.get(),
        told = broadcast.told,
        reason,
        "a broadcast is given up"
    );
}

/// It is tried again after a pause.
pub(super) fn put_off(broadcast: &Model, cause: &(dyn std::error::Error + 'static)) {
    tracing::warn!(
        event = "broadcast.put_off",
        broadcast.id = broadcast.id.get(),
        attempt = broadcast.attempts,
        error = cause,
        "a broadcast waits"
    );
}

/// The claim no longer counts: no fault, and nothing was done under it since.
pub(super) fn lost(broadcast: &Model) {
    tracing::info!(
        event = "broadcast.lost",
        broadcast.id = broadcast.id.get(),
        "a broadcast was cancelled, or is somebody else's by now"
    );
}
