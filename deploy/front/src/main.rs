//! The command `lyceum-front`: what to do is on the command line, how in the library.

mod cli;
mod healthcheck;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use lyceum_front::api::Api;
use lyceum_front::http::Http;
use lyceum_front::serve::serve;
use lyceum_front::signals::Signals;
use lyceum_front::{chaos, load};
use tokio_util::sync::CancellationToken;

use crate::cli::{Arguments, Command};

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            writeln!(std::io::stderr(), "lyceum-front: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(obey(arguments))
}

async fn obey(
    Arguments {
        command,
        log_filter,
    }: Arguments,
) -> Result<(), Box<dyn Error>> {
    if let Command::Healthcheck(page) = command {
        let said = healthcheck::ask(page.listen).await?;
        writeln!(std::io::stdout(), "{said}")?;
        return Ok(());
    }
    lyceum_front::log::start(&log_filter)?;
    let (signals, stop) = (Signals::listen()?, CancellationToken::new());
    match command {
        Command::Healthcheck(_) => {}
        Command::Serve(options) => {
            let serving = serve((*options).into(), stop.clone());
            signals.watch(&stop, serving).await.transpose()?;
        }
        Command::Load(options) => {
            let settings = options.settings();
            let api = Api::new(Http::new(), options.apis.into());
            let sending = load::run(api, settings, &stop, say);
            signals.watch(&stop, sending).await;
        }
        Command::Chaos(options) => {
            let (http, fault) = (Http::new(), options.fault()?);
            let operations = options.operations.into();
            let breaking = chaos::run(&http, &operations, &fault, &stop);
            signals.watch(&stop, breaking).await;
        }
    }
    Ok(())
}

fn say(line: &str) {
    // Whoever read the figures may have gone; the load goes on.
    writeln!(std::io::stdout(), "{line}").ok();
}
