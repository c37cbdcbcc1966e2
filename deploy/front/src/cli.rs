//! The command line: one command per job, every option also a variable `FRONT_…`.

use std::net::SocketAddr;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, Parser, Subcommand};
use lyceum_contracts::user::Credentials;
use lyceum_front::demo::{ADMIN, PASSWORD};
use lyceum_front::doors::Plan;
use lyceum_front::page::Ports;
use lyceum_front::serve::Settings;
use lyceum_front::services::Addresses;
use lyceum_front::status::Tools;

/// Every port the services have, under the same number.
const DOORS: &str = "8001=user:8001,8002=course:8002,8003=notification:8003,\
    9001=user:9001,9002=course:9002,9003=notification:9003";

#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// What is logged: `info`, or a level for each module
    #[arg(
        long,
        global = true,
        env = "FRONT_LOG_FILTER",
        default_value = "info",
        value_name = "FILTER"
    )]
    pub(crate) log_filter: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the page and the doors, make the demo data, send a little traffic
    Serve(Box<ServeOptions>),
    /// Ask the page of this machine whether the demo is whole; exit code 0 or 1
    Healthcheck(Listen),
}

/// Where the page listens.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Listen {
    /// Address of the page; port 0 picks a free one
    #[arg(
        long,
        env = "FRONT_LISTEN",
        default_value = "0.0.0.0:8000",
        value_name = "ADDRESS"
    )]
    pub(crate) listen: SocketAddr,
}

/// APIs of the services, as they are found from here.
#[derive(Args, Clone, Debug)]
pub(crate) struct Apis {
    /// API of user
    #[arg(
        long,
        env = "FRONT_USER",
        default_value = "http://user:8001",
        value_name = "URL"
    )]
    user: String,
    /// API of course
    #[arg(
        long,
        env = "FRONT_COURSE",
        default_value = "http://course:8002",
        value_name = "URL"
    )]
    course: String,
    /// API of notification
    #[arg(
        long,
        env = "FRONT_NOTIFICATION",
        default_value = "http://notification:8003",
        value_name = "URL"
    )]
    notification: String,
}

/// Operations of the services, as they are found from here.
#[derive(Args, Clone, Debug)]
pub(crate) struct Operations {
    /// Operations of user
    #[arg(
        id = "user_operations",
        long = "user-operations",
        env = "FRONT_USER_OPERATIONS",
        default_value = "http://user:9001",
        value_name = "URL"
    )]
    user: String,
    /// Operations of course
    #[arg(
        id = "course_operations",
        long = "course-operations",
        env = "FRONT_COURSE_OPERATIONS",
        default_value = "http://course:9002",
        value_name = "URL"
    )]
    course: String,
    /// Operations of notification
    #[arg(
        id = "notification_operations",
        long = "notification-operations",
        env = "FRONT_NOTIFICATION_OPERATIONS",
        default_value = "http://notification:9003",
        value_name = "URL"
    )]
    notification: String,
}

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

impl From<Apis> for Addresses {
    fn from(apis: Apis) -> Self {
        Self {
            user: apis.user,
            course: apis.course,
            notification: apis.notification,
        }
    }
}

impl From<Operations> for Addresses {
    fn from(operations: Operations) -> Self {
        Self {
            user: operations.user,
            course: operations.course,
            notification: operations.notification,
        }
    }
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
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

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
