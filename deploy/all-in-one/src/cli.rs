//! The command line: `lyceum [up]` starts everything, `lyceum service <name>` is one of the three.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand};

use crate::services::Service;

/// The highest first port of three in a row.
const LAST_FIRST_PORT: i64 = 65_533;

#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) up: UpOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the whole platform (the default)
    Up(UpOptions),
    /// Be one service; settings as in its default.toml, by `LYCEUM__SECTION__KEY`
    Service {
        /// Which one
        name: Service,
        /// What its own binary takes: serve (the default), migrate, healthcheck, openapi, settings
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Args, Clone, Debug)]
pub(crate) struct UpOptions {
    /// Folder for the three databases and the letters; made when missing, readable by you alone
    #[arg(
        long,
        env = "LYCEUM_DATA",
        default_value = "data",
        value_name = "FOLDER"
    )]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) ports: PortOptions,
    /// Start empty: no demo users, courses and traffic
    #[arg(long)]
    pub(crate) no_demo: bool,
    /// How the services log; auto: pretty on a terminal, json elsewhere
    #[arg(long, env = "LYCEUM__TELEMETRY__LOG_FORMAT", default_value = "auto",
          value_parser = ["auto", "json", "pretty"])]
    pub(crate) log_format: String,
    /// What the services log
    #[arg(
        long,
        env = "LYCEUM__TELEMETRY__LOG_FILTER",
        default_value = "info,actix_server=warn,sea_orm_migration=warn",
        value_name = "FILTER"
    )]
    pub(crate) log_filter: String,
    /// No colours, even on a terminal
    #[arg(long, env = "NO_COLOR", value_parser = FalseyValueParser::new())]
    pub(crate) no_color: bool,
}

/// Where things listen, always on the loopback interface; 0 picks free ports.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct PortOptions {
    /// First of the three API ports: user, course, notification
    #[arg(long = "api-port", env = "LYCEUM_API_PORT", default_value_t = 8001, value_name = "PORT",
          value_parser = clap::value_parser!(u16).range(..=LAST_FIRST_PORT))]
    pub(crate) api: u16,
    /// First of the three operations ports (health, metrics, debug)
    #[arg(long = "operations-port", env = "LYCEUM_OPERATIONS_PORT", default_value_t = 9001, value_name = "PORT",
          value_parser = clap::value_parser!(u16).range(..=LAST_FIRST_PORT))]
    pub(crate) operations: u16,
    /// Port that receives traces (OTLP/HTTP)
    #[arg(
        long = "otlp-port",
        env = "LYCEUM_OTLP_PORT",
        default_value_t = 4318,
        value_name = "PORT"
    )]
    pub(crate) otlp: u16,
    /// Port of the trace page
    #[arg(
        long = "traces-port",
        env = "LYCEUM_TRACES_PORT",
        default_value_t = 16686,
        value_name = "PORT"
    )]
    pub(crate) traces: u16,
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
    fn a_service_gets_its_own_arguments_untouched() {
        let line = [
            "lyceum", "service", "course", "openapi", "--config", "x.toml",
        ];
        let Some(Command::Service { name, arguments }) = Arguments::parse_from(line).command else {
            panic!("not a service");
        };
        assert_eq!(name, Service::Course);
        assert_eq!(arguments, ["openapi", "--config", "x.toml"]);
    }

    #[test]
    fn whatever_a_service_takes_as_a_log_format_is_taken_here() {
        for format in ["auto", "json", "pretty"] {
            let line = ["lyceum", "--log-format", format];
            assert_eq!(
                Arguments::try_parse_from(line).unwrap().up.log_format,
                format
            );
        }
        assert!(Arguments::try_parse_from(["lyceum", "--log-format", "xml"]).is_err());
    }

    #[test]
    fn three_ports_in_a_row_must_fit() {
        assert!(Arguments::try_parse_from(["lyceum", "--api-port", "65534"]).is_err());
    }
}
