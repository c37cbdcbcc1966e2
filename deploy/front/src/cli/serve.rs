//! Options of `serve`.

use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args};
use lyceum_contracts::user::Credentials;
use lyceum_front::demo::{ADMIN, PASSWORD};
use lyceum_front::doors::Plan;
use lyceum_front::page::Ports;
use lyceum_front::serve::Settings;
use lyceum_front::status::Tools;

use super::{Apis, Listen, Operations};

/// Every port the services have, under the same number.
const DOORS: &str = "8001=user:8001,8002=course:8002,8003=notification:8003,\
    9001=user:9001,9002=course:9002,9003=notification:9003";

#[derive(Args, Clone, Debug)]
pub(crate) struct ServeOptions {
    #[command(flatten)]
    page: Listen,
    /// Ports to forward: PORT=HOST:PORT, separated by commas; empty for none
    #[arg(long, env = "FRONT_DOORS", default_value = DOORS, value_name = "DOORS")]
    doors: Plan,
    /// Make demo people and courses, and be healthy only when they are there
    #[arg(long, env = "FRONT_DEMO", default_value = "true", action = ArgAction::Set,
          value_parser = BoolishValueParser::new(), value_name = "BOOL")]
    demo: bool,
    /// Seconds between two visits of a demo student; 0 for none
    #[arg(
        long,
        env = "FRONT_TRAFFIC_EVERY_S",
        default_value_t = 10,
        value_name = "SECONDS"
    )]
    traffic_every_s: u64,
    /// The admin that makes the demo
    #[arg(long, env = "FRONT_ADMIN_EMAIL", default_value = ADMIN.email, value_name = "EMAIL")]
    admin_email: String,
    /// That admin's password; shown on the page only if it is the default
    #[arg(
        long,
        env = "FRONT_ADMIN_PASSWORD",
        hide_env_values = true,
        default_value = PASSWORD,
        value_name = "PASSWORD"
    )]
    admin_password: String,
    #[command(flatten)]
    apis: Apis,
    #[command(flatten)]
    operations: Operations,
    #[command(flatten)]
    tools: Tools,
    #[command(flatten)]
    ports: Ports,
}

impl From<ServeOptions> for Settings {
    fn from(options: ServeOptions) -> Self {
        let every = options.traffic_every_s;
        Self {
            listen: options.page.listen,
            doors: options.doors,
            apis: options.apis.into(),
            operations: options.operations.into(),
            tools: options.tools,
            ports: options.ports,
            admin: Credentials {
                email: options.admin_email,
                password: options.admin_password,
            },
            demo: options.demo,
            traffic: (every > 0).then_some(Duration::from_secs(every)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Arguments, Command};

    #[test]
    fn nothing_has_to_be_said() {
        let Command::Serve(options) = Arguments::parse_from(["lyceum-front", "serve"]).command
        else {
            panic!("another command");
        };
        let settings = Settings::from(*options);
        assert_eq!(settings.doors.0.len(), 6);
        assert_eq!(settings.traffic, Some(Duration::from_secs(10)));
        assert!(settings.demo);
    }
}
