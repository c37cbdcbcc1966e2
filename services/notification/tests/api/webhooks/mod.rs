//! Webhooks, and the machines that are told.

mod crash;
mod delivering;
mod failures;
mod log;
mod private;
pub(crate) mod registration;
mod secrets;
mod wire;
