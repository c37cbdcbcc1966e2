//! Log lines as the services write them: one JSON object each, the event's fields at its top.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Begins to log what passes `filter`, as tracing's `EnvFilter` reads it.
pub fn start(filter: &str) -> Result<(), ParseError> {
    let lines = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        // A line that cannot be written is lost; complaining would panic on a closed pipe.
        .log_internal_errors(false)
        .with_env_filter(EnvFilter::builder().parse(filter)?)
        .finish();
    // Set already: whoever did it wants to see our lines too.
    tracing::subscriber::set_global_default(lines).ok();
    Ok(())
}
