//! Header names of our own; the W3C ones belong to the telemetry crate.

/// Milliseconds the caller will still wait: relative, recomputed for every attempt.
pub const DEADLINE_MS: &str = "x-deadline-ms";

/// Names one request in logs; echoed when well formed, made otherwise.
pub const REQUEST_ID: &str = "x-request-id";

/// Makes a POST repeatable: the same key has its effect once.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Which attempt of one logical call this is, from 2 on; lets a server see the share of repeats. The first has none, as
/// `http.request.resend_count` has none.
pub const ATTEMPT: &str = "x-attempt";
