//! The door of the local stack: what a person meets first, and the few tools around it.
//!
//! Everything here speaks to the services as any user of their APIs would; nothing here is part of
//! the platform, and the platform runs without it.

pub mod address;
pub mod api;
pub mod demo;
pub mod doors;
pub mod http;
pub mod log;
pub mod services;
