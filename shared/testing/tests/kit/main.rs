//! The kit against itself, over the sockets and processes it offers to others.

mod peers;
mod streams;
mod telemetry;
