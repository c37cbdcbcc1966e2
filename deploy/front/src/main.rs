//! The command `lyceum-front`: what to do is on the command line, how in the library.

mod cli;
mod healthcheck;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Arguments, Command};

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let ended = match command {
        Command::Healthcheck(page) => check(page),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            writeln!(std::io::stderr(), "lyceum-front: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn check(page: cli::Listen) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let said = runtime.block_on(healthcheck::ask(page.listen))?;
    writeln!(std::io::stdout(), "{said}")?;
    Ok(())
}
