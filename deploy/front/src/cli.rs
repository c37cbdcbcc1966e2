//! The command line: one command per job, every option also a variable `FRONT_…`.

use std::net::SocketAddr;

use clap::{Args, Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
