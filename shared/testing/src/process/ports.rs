//! Ports for processes that must be found at the same place after they are started again.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Ports nobody listens on now, below those the system hands out by itself, so that no other
/// connection of this machine takes one meanwhile. Each process of a test run begins elsewhere.
pub fn free_ports(count: usize) -> Vec<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id() * 32;
    let candidates = std::iter::repeat_with(|| {
        let offset = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        10_000 + u16::try_from(offset).expect("below 10 000")
    });
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    candidates.filter(free).take(count).collect()
}
