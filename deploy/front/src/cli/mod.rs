//! The command line: one command per job, every option also a variable `FRONT_…`.

mod chaos;
mod load;
mod serve;

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};
use lyceum_front::services::Addresses;

use self::chaos::ChaosOptions;
use self::load::LoadOptions;
use self::serve::ServeOptions;

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
    /// Send a steady load and print what came of it, one JSON line every 10 s and at the end
    Load(LoadOptions),
    /// While it runs, calls between services go wrong at times
    Chaos(ChaosOptions),
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
