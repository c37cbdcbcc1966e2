//! `lyceum up`: everything in order, and out of it again.
//!
//! Folder and ports first, then our own listeners, the services, their readiness, the demo data,
//! the block with every address — and the way back at the first signal: services before the
//! receiver, so that their last spans arrive. A second signal kills.

use std::io;
use std::time::Duration;

use lyceum_front::api::Api;
use lyceum_front::demo::{self, ADMIN, Demo};
use lyceum_front::http::Http;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cli::UpOptions;
use crate::console::Console;
use crate::data::{DataError, DataFolder};
use crate::platform::Platform;
use crate::ports::{PortsTaken, Reservation};
use crate::services::Service;
use crate::signals::Signals;
use crate::supervise::{Ending, Fleet, Outcome, Report};
use crate::{traces, welcome};

/// From the start of the services to the last one's readiness: migrations of a debug build on a
/// slow disk, several times over.
const START_DEADLINE: Duration = Duration::from_mins(1);

/// Between two looks at a service that is not ready yet.
const READINESS_INTERVAL: Duration = Duration::from_millis(50);

/// Why the platform did not start, or did not end well. One line each.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Ports(#[from] PortsTaken),
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
    #[error("{0} did not start: its reason is above")]
    NotStarted(&'static str),
    #[error("{0} is not ready after {limit} s", limit = START_DEADLINE.as_secs())]
    NotReady(&'static str),
    #[error("not every service ended well: {0}")]
    Unclean(String),
}

/// Starts the platform and stays until told to end.
pub(crate) fn run(options: &UpOptions) -> Result<(), UpError> {
    let data = DataFolder::open(&options.data)?;
    let reservation = Reservation::take(options.ports)?;
    let platform = Platform {
        program: std::env::current_exe()?,
        data,
        ports: reservation.ports()?,
        log_format: log_format(options).to_owned(),
        log_filter: options.log_filter.clone(),
    };
    let console = Console::new(options.no_color);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(async { live(&platform, reservation, console, !options.no_demo).await })
}

/// A person reads pretty lines; whatever reads a file or a pipe wants JSON. The services cannot see
/// which it is: they write to us.
fn log_format(options: &UpOptions) -> &str {
    match options.log_format.as_str() {
        "auto" if Console::is_terminal() => "pretty",
        "auto" => "json",
        said => said,
    }
}

async fn live(
    platform: &Platform,
    reservation: Reservation,
    console: Console,
    with_demo: bool,
) -> Result<(), UpError> {
    let mut signals = Signals::listen()?;
    let (otlp, page) = reservation.release();
    let close_traces = CancellationToken::new();
    let mut receiver = JoinSet::new();
    receiver.spawn(traces::serve(otlp, page, close_traces.clone()));

    let mut fleet = Fleet::new(console);
    let started = tokio::select! {
        ready = get_ready(platform, &mut fleet, with_demo) => ready.map(Some),
        () = signals.next() => Ok(None),
    };
    let mut lost = None;
    if let Ok(Some(demo)) = &started {
        Console::block(&welcome::block(platform, demo.as_ref()));
        tokio::select! {
            () = signals.next() => {}
            // It ended in the moment before it would have been started again.
            report = fleet.next_ended() => lost = report,
        }
    }
    let ended = end(fleet, signals, console, lost).await;
    close_traces.cancel();
    while let Some(served) = receiver.join_next().await {
        served.map_err(io::Error::other)??;
    }
    started.map(drop).and(ended)
}

/// Starts the services and waits until each answers and there is something to see.
///
/// One after the other, so that none has to complain of a peer that is only not there yet.
async fn get_ready(
    platform: &Platform,
    fleet: &mut Fleet,
    with_demo: bool,
) -> Result<Option<Demo>, UpError> {
    let http = Http::new();
    let deadline = Instant::now() + START_DEADLINE;
    for service in Service::START_ORDER {
        fleet.start(platform.recipe(service));
        tokio::select! {
            () = until_ready(&http, platform, service) => {}
            ended = fleet.next_ended() => {
                return Err(UpError::NotStarted(ended.map_or(service.name(), |report| report.name)));
            }
            () = tokio::time::sleep_until(deadline) => return Err(UpError::NotReady(service.name())),
        }
    }
    fleet.settle();
    Ok(if with_demo {
        let api = Api::new(http, platform.apis());
        Some(demo::prepare(&api, &ADMIN.credentials()).await)
    } else {
        None
    })
}

async fn until_ready(http: &Http, platform: &Platform, service: Service) {
    let url = format!("{}/health/ready", platform.operations(service));
    let mut tick = tokio::time::interval(READINESS_INTERVAL);
    loop {
        tick.tick().await;
        if http
            .get(&url)
            .await
            .is_ok_and(|answer| answer.status == 200)
        {
            return;
        }
    }
}

/// Asks every service to end and reports those that did not do it well, the `lost` one first.
async fn end(
    mut fleet: Fleet,
    mut signals: Signals,
    console: Console,
    lost: Option<Report>,
) -> Result<(), UpError> {
    console.line("lyceum", "stopping");
    fleet.stop();
    let mut unclean: Vec<String> = lost.iter().map(describe).collect();
    loop {
        tokio::select! {
            report = fleet.next_ended() => match report {
                None => break,
                Some(report) if report.is_clean() => {}
                Some(report) => unclean.push(describe(&report)),
            },
            () = signals.next() => fleet.abort(),
        }
    }
    if unclean.is_empty() {
        Ok(())
    } else {
        Err(UpError::Unclean(unclean.join(", ")))
    }
}

fn describe(Report { name, outcome }: &Report) -> String {
    match outcome {
        Ok(Outcome::EndedEarly(status)) => format!("{name} ended early ({status})"),
        Ok(Outcome::Stopped(Ending::Clean)) => format!("{name} ended well"),
        Ok(Outcome::Stopped(Ending::Failed(status))) => format!("{name} ended with {status}"),
        Ok(Outcome::Stopped(Ending::Killed)) => format!("{name} had to be killed"),
        Err(error) => format!("{name}: {error}"),
    }
}
