//! One module per figure; each prints its rows of the table.

pub(crate) mod broadcast;
pub(crate) mod idle;
pub(crate) mod latency;
pub(crate) mod mail;
pub(crate) mod publish;
pub(crate) mod rate;

/// Rounds of each; the median counts, because a machine is seldom quiet.
const ROUNDS: usize = 3;
