//! Ours beside its peers, on one machine, in one run.
//!
//! `make bench` races everything that decides something per call: each contestant works in short
//! batches, turn by turn with the others, so that a noisy minute of the machine hits all of them,
//! and the median of its batches counts. The table at the end is ratios to the first row of each
//! group; `docs/BENCHMARKS.md` carries it. `make outage` is the other half: three services in a
//! row, the last one dead, and what the first one's callers see.
//!
//! The package stands outside the workspace, with a `Cargo.lock` of its own: the peers measured
//! here are no part of the product.

pub mod race;
pub mod server;
pub mod table;
