//! The command line of every service: `serve | migrate | healthcheck | openapi | settings`, and
//! what a service adds of its own ([`ServiceCommand`]).
//!
//! What goes wrong before or after the service answers is one line on standard error and an exit
//! code other than 0.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use futures_util::future::BoxFuture;
use lyceum_telemetry::{ServiceIdentity, TelemetrySettings};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use crate::database::{Database, NotReady};
use crate::lifecycle::Lifecycle;
use crate::panics;
use crate::probe;
use crate::service::Service;
use crate::settings::{PlatformSettings, Settings, Source, load};

/// Threads of the main runtime: background loops and signals; requests have workers of their own.
const MAIN_THREADS: usize = 2;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// TOML file over the embedded defaults.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand, Clone, Copy)]
enum Command {
    /// Answer requests until told to stop (the default).
    Serve,
    /// Bring the database's schema up to date and end.
    Migrate,
    /// Ask the running service whether it is ready; for container health checks.
    Healthcheck,
    /// Print the description of the API.
    Openapi,
    /// Print the effective settings, secrets masked.
    Settings,
}

/// A subcommand of one service alone, by which an operator does what no request may.
///
/// ```
/// # use lyceum_chassis::Service;
/// # use lyceum_chassis::cli::{self, ServiceCommand};
/// fn check_tables<S: Service>() -> ServiceCommand<S> {
///     ServiceCommand {
///         command: clap::Command::new("check-tables").about("Fail unless the tables are there"),
///         run: |_matches, settings| {
///             Box::pin(async move {
///                 let database = cli::database::<S>(&settings.platform).await?;
///                 database.close().await;
///                 Ok(())
///             })
///         },
///     }
/// }
/// ```
#[derive(Debug)]
pub struct ServiceCommand<S: Service> {
    /// Its name, its line in the help, its arguments.
    pub command: clap::Command,
    /// Runs it with what was given to it. An error is one line on standard error and code 1; a
    /// wrong argument never comes this far and is code 2.
    pub run: RunCommand<S>,
}

/// How a [`ServiceCommand`] is run.
pub type RunCommand<S> =
    fn(ArgMatches, Settings<<S as Service>::Settings>) -> BoxFuture<'static, anyhow::Result<()>>;

/// Runs the command in the process's arguments.
pub fn run<S: Service>() -> ExitCode {
    run_with::<S>(std::env::args_os())
}

/// Runs the command in `arguments`, the first of which is the program's name.
pub fn run_with<S: Service>(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = Arguments::command()
        .display_name(S::NAME)
        .subcommands(S::commands().into_iter().map(|own| own.command));
    let outcome = match command.try_get_matches_from(arguments) {
        Ok(matches) => match own_command::<S>(&matches) {
            Some((own, given)) => execute_own::<S>(own, given),
            None => match Arguments::from_arg_matches(&matches) {
                Ok(arguments) => execute::<S>(&arguments),
                Err(error) => return refuse(&error),
            },
        },
        Err(error) => return refuse(&error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(S::NAME, &error),
    }
}

/// Help goes to standard output with code 0, a wrong argument to standard error with 2.
fn refuse(error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    match error.print() {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::FAILURE,
    }
}

/// The service's own subcommand that was asked for, if it was one.
fn own_command<S: Service>(matches: &ArgMatches) -> Option<(RunCommand<S>, ArgMatches)> {
    let (name, given) = matches.subcommand()?;
    let mut commands = S::commands().into_iter();
    let own = commands.find(|own| own.command.get_name() == name)?;
    Some((own.run, given.clone()))
}

fn execute_own<S: Service>(run: RunCommand<S>, given: ArgMatches) -> anyhow::Result<()> {
    let source = Source::process(given.get_one::<PathBuf>("config").map(PathBuf::as_path));
    let settings = load::<S::Settings>(S::DEFAULTS, source)?;
    briefly::<S>(&settings.platform.clone(), run(given, settings))
}

/// The service's database for a subcommand, with its tables.
///
/// # Errors
/// When it cannot be reached, or misses migrations that it may not make itself.
pub async fn database<S: Service>(platform: &PlatformSettings) -> anyhow::Result<Database> {
    let database = Database::connect::<S::Migrator>(S::NAME, &platform.database).await?;
    match database.ready().await {
        Ok(()) => Ok(database),
        Err(pending @ NotReady::Pending(_)) => {
            Err(anyhow!(pending).context(format!("run `lyceum-{} migrate` first", S::NAME)))
        }
        Err(reason @ NotReady::Unreachable(_)) => Err(reason.into()),
    }
}

fn fail(service: &str, error: &anyhow::Error) -> ExitCode {
    let line = format!("lyceum-{service}: {error:#}").replace('\n', " ");
    // Nobody is left to tell when standard error is closed.
    writeln!(std::io::stderr(), "{line}").ok();
    ExitCode::FAILURE
}

fn execute<S: Service>(arguments: &Arguments) -> anyhow::Result<()> {
    let source = Source::process(arguments.config.as_deref());
    let command = arguments.command.unwrap_or(Command::Serve);
    if matches!(command, Command::Openapi) {
        return print(S::openapi().to_pretty_json()?);
    }
    let settings = load::<S::Settings>(S::DEFAULTS, source)?;
    match command {
        Command::Serve => serve::<S>(settings),
        Command::Migrate => migrate::<S>(&settings.platform),
        Command::Healthcheck => {
            let operations = &settings.platform.operations;
            let host = match operations.host {
                IpAddr::V4(host) if host.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
                host => host,
            };
            runtime()?.block_on(probe::ready(host, operations.port))
        }
        Command::Settings => print(effective(&settings)?),
        Command::Openapi => Ok(()),
    }
}

/// Boots, answers and leaves; telemetry is up before the first line and flushed after the last.
fn serve<S: Service>(settings: Settings<S::Settings>) -> anyhow::Result<()> {
    let platform = settings.platform.clone();
    let telemetry = lyceum_telemetry::init(&identity::<S>(&platform), &platform.telemetry)?;
    panics::log();
    let runtime = runtime()?;
    let outcome = runtime.block_on(async {
        let stop_with_stdin = platform.lifecycle.stop_with_stdin;
        let service = S::build(settings).await?;
        let lifecycle = Lifecycle::new();
        let signals = lifecycle.clone().follow_signals();
        let stdin = lifecycle.clone().follow_stdin();
        let service = service.run(lifecycle.clone());
        tokio::pin!(service, signals, stdin);
        let mut watch_stdin = stop_with_stdin;
        loop {
            tokio::select! {
                // Signals are followed from before the first answer: no SIGTERM ends it rudely.
                biased;
                failed = &mut signals => failed?,
                () = &mut stdin, if watch_stdin => watch_stdin = false,
                outcome = &mut service => return Ok::<_, anyhow::Error>(outcome?),
            }
        }
    });
    // The blocking read of standard input, if any, must not hold the exit.
    runtime.shutdown_background();
    end_with::<S, _>(outcome, telemetry.shutdown())
}

/// The outcome of a command once its telemetry is flushed. A collector that is away is told on
/// standard error; it neither spoils a clean end nor hides why another one failed.
fn end_with<S: Service, E: fmt::Display>(
    outcome: anyhow::Result<()>,
    flushed: Result<(), E>,
) -> anyhow::Result<()> {
    if let Err(error) = flushed {
        writeln!(std::io::stderr(), "lyceum-{}: {error}", S::NAME).ok();
    }
    outcome
}

/// Migrates and ends.
fn migrate<S: Service>(platform: &PlatformSettings) -> anyhow::Result<()> {
    let migrated = Database::migrate::<S::Migrator>(S::NAME, &platform.database);
    briefly::<S>(platform, async { Ok(migrated.await.map(drop)?) })
}

/// Does one thing and ends. Its log says what was done; nothing of it is worth a trace, so that it
/// waits for no collector.
fn briefly<S: Service>(
    platform: &PlatformSettings,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let log = TelemetrySettings {
        otlp_endpoint: None,
        ..platform.telemetry.clone()
    };
    let telemetry = lyceum_telemetry::init(&identity::<S>(platform), &log)?;
    panics::log();
    let outcome = runtime()?.block_on(work);
    end_with::<S, _>(outcome, telemetry.shutdown())
}

fn identity<S: Service>(platform: &PlatformSettings) -> ServiceIdentity {
    ServiceIdentity {
        name: S::NAME,
        version: env!("CARGO_PKG_VERSION"),
        environment: platform.environment.as_str().to_owned(),
    }
}

fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_multi_thread()
        .worker_threads(MAIN_THREADS)
        .thread_name("main")
        .enable_all()
        .build()?)
}

#[derive(Serialize)]
struct Effective<'a, S> {
    #[serde(flatten)]
    platform: &'a PlatformSettings,
    #[serde(flatten)]
    service: &'a S,
}

fn effective<S: Serialize>(settings: &Settings<S>) -> anyhow::Result<String> {
    Ok(toml::to_string_pretty(&Effective {
        platform: &settings.platform,
        service: &settings.service,
    })?)
}

fn print(text: impl fmt::Display) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
