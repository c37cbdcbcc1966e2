//! Options of `load`.

use std::time::Duration;

use clap::Args;
use lyceum_front::load;

use super::Apis;

/// How much load, and where to.
#[derive(Args, Clone, Debug)]
pub(crate) struct LoadOptions {
    /// Requests per second
    #[arg(long, env = "FRONT_RATE", default_value_t = 20.0, value_parser = rate, value_name = "NUMBER")]
    rate: f64,
    /// Seconds until it ends by itself; 0 for never
    #[arg(
        long,
        env = "FRONT_DURATION_S",
        default_value_t = 0,
        value_name = "SECONDS"
    )]
    duration_s: u64,
    #[command(flatten)]
    pub(crate) apis: Apis,
}

impl LoadOptions {
    pub(crate) fn settings(&self) -> load::Settings {
        let seconds = self.duration_s;
        load::Settings {
            rate: self.rate,
            duration: (seconds > 0).then_some(Duration::from_secs(seconds)),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text
        .parse()
        .ok()
        .filter(|rate| (0.1..=1000.0).contains(rate));
    rate.ok_or_else(|| "a number from 0.1 to 1000".to_owned())
}
