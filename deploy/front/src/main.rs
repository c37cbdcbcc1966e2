//! The command `lyceum-front`: what to do is on the command line, how in the library.

mod cli;
mod healthcheck;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use lyceum_front::api::Api;
use lyceum_front::http::Http;
use lyceum_front::serve::serve;
use lyceum_front::signals::Signals;
use lyceum_front::{chaos, load};
use tokio_util::sync::CancellationToken;

use crate::cli::{Arguments, Command};

/// Name lookups at a time, the only work that blocks: one for every door, and some to spare.
const LOOKUPS: usize = 16;

/// For the end of what is dropped, above all connections, which are reset; a name lookup that
/// hangs does not hold the end for longer.
const LAST_WORDS: Duration = Duration::from_millis(500);

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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(LOOKUPS)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(obey(arguments));
    runtime.shutdown_timeout(LAST_WORDS);
    ended
}

async fn obey(
    Arguments {
        command,
        log_filter,
    }: Arguments,
) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Healthcheck(page) => {
            let said = healthcheck::ask(page.listen).await?;
            writeln!(std::io::stdout(), "{said}")?;
        }
        Command::Serve(options) => {
            let (signals, stop) = begin(&log_filter)?;
            let serving = serve((*options).into(), stop.clone());
            signals.watch(&stop, serving).await.transpose()?;
        }
        Command::Load(options) => {
            let (signals, stop) = begin(&log_filter)?;
            let settings = options.settings();
            let api = Api::new(Http::new(), options.apis.into());
            let sending = load::run(api, settings, &stop, say);
            signals.watch(&stop, sending).await;
        }
        Command::Chaos(options) => {
            let (signals, stop) = begin(&log_filter)?;
            let (http, fault) = (Http::new(), options.fault()?);
            let operations = options.operations.into();
            let breaking = Box::pin(chaos::run(&http, &operations, &fault, &stop));
            signals.watch(&stop, breaking).await;
        }
    }
    Ok(())
}

/// What every command needs that goes on until a signal comes.
fn begin(log_filter: &str) -> Result<(Signals, CancellationToken), Box<dyn Error>> {
    lyceum_front::log::start(log_filter)?;
    Ok((Signals::listen()?, CancellationToken::new()))
}

fn say(line: &str) {
    // Whoever read the figures may have gone; the load goes on.
    writeln!(std::io::stdout(), "{line}").ok();
}
