//! When a connection cannot be accepted.

use std::io;
use std::time::Duration;

/// Most failures are a want of descriptors or memory, which a moment may bring back.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// Whether it was the client that left before its turn: the next one is there for the taking.
pub(crate) fn has_left(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionAborted
}
