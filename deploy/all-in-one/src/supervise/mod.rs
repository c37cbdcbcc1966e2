//! The children together: started, kept alive, ended.
//!
//! A child that ends before [`Fleet::settle`] is a reason not to start at all; one that ends
//! later is started again after a pause, however often that fails. Nothing else is known here of what a child does.

mod child;

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::child::Child;
pub(crate) use self::child::Ending;
use crate::console::Console;

/// Pause before a restart; doubled with every further one, so that a child that cannot live does
/// not fill the terminal.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A child that lived this long starts with the first pause again.
const STEADY: Duration = Duration::from_secs(30);

/// What to start, and how to start it again.
pub(crate) struct Recipe {
    /// Precedes its lines.
    pub(crate) name: &'static str,
    /// Makes the command, once per start.
    pub(crate) command: Box<dyn Fn() -> Command + Send>,
    /// From being asked to stop to being killed.
    pub(crate) patience: Duration,
}

/// How one child's story ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It ended by itself before everything was settled.
    EndedEarly(ExitStatus),
    /// It was asked to end.
    Stopped(Ending),
}

/// The last that is heard of a child.
#[derive(Debug)]
pub(crate) struct Report {
    /// Who.
    pub(crate) name: &'static str,
    /// How; an error when the system refused to start it or to watch it.
    pub(crate) outcome: io::Result<Outcome>,
}

impl Report {
    /// Whether it ended as asked, by itself and content.
    pub(crate) fn is_clean(&self) -> bool {
        matches!(self.outcome, Ok(Outcome::Stopped(Ending::Clean)))
    }
}

#[derive(Clone, Debug, Default)]
struct Orders {
    settled: CancellationToken,
    stop: CancellationToken,
    abort: CancellationToken,
}

/// All children.
#[derive(Debug)]
pub(crate) struct Fleet {
    console: Console,
    orders: Orders,
    keepers: JoinSet<Report>,
}

impl Fleet {
    /// Nobody yet.
    pub(crate) fn new(console: Console) -> Self {
        Self {
            console,
            orders: Orders::default(),
            keepers: JoinSet::new(),
        }
    }

    /// Starts one more child.
    pub(crate) fn start(&mut self, recipe: Recipe) {
        let (orders, console) = (self.orders.clone(), self.console);
        self.keepers.spawn(async move {
            let name = recipe.name;
            let outcome = keep(recipe, orders, console).await;
            Report { name, outcome }
        });
    }

    /// From now on a child that ends is started again.
    pub(crate) fn settle(&self) {
        self.orders.settled.cancel();
    }

    /// Waits for the next child that has ended for good; `None` when there is none left.
    pub(crate) async fn next_ended(&mut self) -> Option<Report> {
        // A keeper does not panic, and nobody cancels it.
        self.keepers.join_next().await.and_then(Result::ok)
    }

    /// Asks every child to end.
    pub(crate) fn stop(&self) {
        self.orders.stop.cancel();
    }

    /// Kills what is still there.
    pub(crate) fn abort(&self) {
        self.orders.abort.cancel();
    }
}

async fn keep(recipe: Recipe, orders: Orders, console: Console) -> io::Result<Outcome> {
    let mut pause = FIRST_PAUSE;
    loop {
        let born = Instant::now();
        let how = match Child::start((recipe.command)(), recipe.name, console) {
            Ok(mut child) => {
                let status = tokio::select! {
                    ended = child.ended() => ended?,
                    () = orders.stop.cancelled() => {
                        return child.stop(recipe.patience, &orders.abort).await.map(Outcome::Stopped);
                    }
                };
                if !orders.settled.is_cancelled() {
                    return Ok(Outcome::EndedEarly(status));
                }
                format!("ended ({status})")
            }
            // Its file may be away for a moment, while it is being built anew.
            Err(error) if orders.settled.is_cancelled() => format!("cannot be started ({error})"),
            Err(error) => return Err(error),
        };
        if born.elapsed() >= STEADY {
            pause = FIRST_PAUSE;
        }
        let (name, seconds) = (recipe.name, pause.as_secs_f32());
        console.line(
            "lyceum",
            format_args!("{name} {how}; starting it again in {seconds} s"),
        );
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = orders.stop.cancelled() => return Ok(Outcome::Stopped(Ending::Clean)),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests;
