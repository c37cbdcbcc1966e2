//! The kit against itself, over the sockets and processes it offers to others.

mod identity;
mod peers;
mod processes;
mod services;
mod streams;
mod telemetry;
mod wires;
