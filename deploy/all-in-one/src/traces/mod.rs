//! The traces of the platform, kept in memory and shown in Jaeger's own page.
//!
//! Two listeners: [`receiver`] takes what the services export, [`page`] shows it. Both stand on
//! the state of `otlp-embedded`, which forgets the oldest traces when its bounds are reached;
//! [`complete`] makes spans fit for it on the way in. Metrics are accepted and dropped: each
//! service shows its own at `/metrics`.

mod complete;
mod page;
mod receiver;

use std::io;
use std::net::TcpListener;

use axum::Router;
use otlp_embedded::{Config, State};
use tokio_util::sync::CancellationToken;

/// Traces kept; at a request per second the last quarter of an hour. Some 20 spans of 2 KiB each: 40 MiB.
const MAX_TRACES: u32 = 1_000;

/// No bound by bytes: `otlp-embedded` adds the size of a whole trace for every span that joins it and never takes it
/// back, so that any bound is reached in time, and from then on nothing is kept at all.
const MAX_BYTES: usize = usize::MAX;

/// Receives and shows traces until told to stop.
pub(crate) async fn serve(
    otlp: TcpListener,
    page: TcpListener,
    stop: CancellationToken,
) -> io::Result<()> {
    let state = State::new(Config {
        max_length: MAX_TRACES,
        max_memory_usage: MAX_BYTES,
    });
    tokio::try_join!(
        answer(otlp, receiver::routes(state.clone()), &stop),
        answer(page, page::routes(state), &stop),
    )?;
    Ok(())
}

async fn answer(listener: TcpListener, routes: Router, stop: &CancellationToken) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    // Not a graceful end: a browser's open connection would hold it up, and nothing here is worth waiting for.
    tokio::select! {
        ended = axum::serve(listener, routes) => ended,
        () = stop.cancelled() => Ok(()),
    }
}

#[cfg(test)]
mod tests;
