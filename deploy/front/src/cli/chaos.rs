//! Options of `chaos`.

use clap::Args;
use clap::builder::BoolishValueParser;
use lyceum_front::chaos::Fault;

use super::Operations;

/// Which fault every upstream gets.
#[derive(Args, Clone, Debug)]
pub(crate) struct ChaosOptions {
    /// Share of attempts that go wrong, 0 to 1
    #[arg(long, env = "FRONT_RATIO", default_value_t = 0.3, value_parser = ratio, value_name = "SHARE")]
    ratio: f64,
    /// How much later they leave
    #[arg(
        long,
        env = "FRONT_LATENCY_MS",
        default_value_t = 300,
        value_name = "MS"
    )]
    latency_ms: u64,
    /// What they are answered instead of being made; 0 to make them after all, only later
    #[arg(long, env = "FRONT_STATUS", default_value_t = 503, value_parser = status, value_name = "CODE")]
    status: u16,
    /// Reset their connections instead
    #[arg(long, env = "FRONT_RESET", value_parser = BoolishValueParser::new())]
    reset: bool,
    /// Seconds after which faults end by themselves should this be killed
    #[arg(long, env = "FRONT_LASTS_S", default_value_t = 15, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=600))]
    lasts_s: u64,
    #[command(flatten)]
    pub(crate) operations: Operations,
}

impl ChaosOptions {
    pub(crate) fn fault(&self) -> Result<Fault, &'static str> {
        if self.latency_ms == 0 && self.status == 0 && !self.reset {
            return Err("neither late nor wrong: give a latency, a status or --reset");
        }
        Ok(Fault {
            ratio: self.ratio,
            latency_ms: self.latency_ms,
            status: (!self.reset && self.status > 0).then_some(self.status),
            reset: self.reset,
            for_ms: self.lasts_s * 1000,
        })
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text
        .parse()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "a number from 0 to 1".to_owned())
}

fn status(text: &str) -> Result<u16, String> {
    let status = text
        .parse()
        .ok()
        .filter(|status| *status == 0 || (400..=599).contains(status));
    status.ok_or_else(|| "0, or a status from 400 to 599".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{Arguments, Command};

    fn fault(options: &[&str]) -> Option<serde_json::Value> {
        let line = ["lyceum-front", "chaos"].iter().chain(options);
        match Arguments::try_parse_from(line).ok()?.command {
            Command::Chaos(options) => serde_json::to_value(options.fault().ok()?).ok(),
            _ => None,
        }
    }

    #[test]
    fn a_fault_is_what_a_service_takes() {
        let json = |text| serde_json::from_str(text).ok();
        assert_eq!(
            fault(&[]),
            json(r#"{"ratio":0.3,"latency_ms":300,"status":503,"for_ms":15000}"#)
        );
        assert_eq!(
            fault(&["--reset", "--ratio", "1"]),
            json(r#"{"ratio":1.0,"latency_ms":300,"reset":true,"for_ms":15000}"#)
        );
        assert_eq!(
            fault(&["--status", "0"]),
            json(r#"{"ratio":0.3,"latency_ms":300,"for_ms":15000}"#)
        );
        for refused in [["--status", "200"], ["--ratio", "1.1"], ["--ratio", "NaN"]] {
            assert_eq!(fault(&refused), None);
        }
        assert_eq!(fault(&["--status", "0", "--latency-ms", "0"]), None);
    }
}
