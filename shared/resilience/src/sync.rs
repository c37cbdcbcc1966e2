//! The atomics of what is checked by a model: loom's when it runs, the processor's otherwise.
//!
//! `make loom` builds this crate with `--cfg lyceum_loom`, a name of our own, for tokio leaves out
//! its timers under `--cfg loom`.

#[cfg(lyceum_loom)]
pub(crate) use loom::sync::atomic::{AtomicU8, AtomicU64, Ordering};
#[cfg(not(lyceum_loom))]
pub(crate) use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
