//! The whole platform in one command: three services as three processes, with their traces on screen.
//!
//! `lyceum` starts itself once per service, so that each is a real process with its own name,
//! ports and database, and any of them can be killed. Here is what starts and ends; what a
//! service does is in its own crate.

mod cli;
mod console;
mod data;
mod platform;
mod ports;
mod services;
mod signals;
mod supervise;
mod traces;
mod up;
mod welcome;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Arguments, Command};

fn main() -> ExitCode {
    let Arguments { command, up } = Arguments::parse();
    let options = match command {
        Some(Command::Service { name, arguments }) => return name.run(arguments),
        Some(Command::Up(options)) => options,
        None => up,
    };
    match up::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            writeln!(std::io::stderr(), "lyceum: {error}").ok();
            ExitCode::FAILURE
        }
    }
}
