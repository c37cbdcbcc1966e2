//! `lyceum-front load`: a small, steady load, and what came of it.
//!
//! An open loop: requests leave when they are due, however slow the answers, and are timed from
//! that moment, so that a service that stalls shows. What is written is a session per login.

mod histogram;
mod tally;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use self::tally::{Outcome, Tally};
use crate::api::{Api, CallError, Caller};
use crate::demo::STUDENT;
use crate::http::HttpError;

/// Between two lines of figures.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// Requests under way; what is due beyond that fails here, and does not pile up.
const IN_FLIGHT: usize = 256;

/// For what is under way at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// Between two tries to log in for the first time.
const RETRY: Duration = Duration::from_secs(1);

/// How much, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Requests per second, over 0.
    pub rate: f64,
    /// From the first request to the last; without end when `None`.
    pub duration: Option<Duration>,
}

/// What is asked for, with its share of a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Overview,
    Catalogue,
    Inbox,
    Login,
}

const MIX: [(Request, u8); 4] = [
    (Request::Overview, 30),
    (Request::Catalogue, 40),
    (Request::Inbox, 29),
    (Request::Login, 1),
];

impl Request {
    /// The one on which a number below 100 falls.
    fn at(number: u8) -> Self {
        let mut below = 0;
        let fits = |(_, share): &&(Self, u8)| {
            below += share;
            number < below
        };
        MIX.iter()
            .find(fits)
            .map_or(Self::Login, |(request, _)| *request)
    }
}

/// The student everybody here is.
#[derive(Clone)]
struct Load {
    api: Api,
    login: Arc<Login>,
}

/// Her latest login, and whose turn it is to get a new one.
#[derive(Default)]
struct Login {
    caller: Mutex<Option<Arc<Caller>>>,
    /// When the last try failed, and how.
    turn: tokio::sync::Mutex<Option<(Instant, String)>>,
}

/// Sends requests until `stop` or the end of the duration, and says each line of figures.
pub async fn run(api: Api, settings: Settings, stop: &CancellationToken, say: impl Fn(&str)) {
    let load = Load {
        api,
        login: Arc::default(),
    };
    if stop.run_until_cancelled(load.begin()).await.is_none() {
        return;
    }
    let begun = Instant::now();
    let (mut all, mut window, mut window_begun) = (Tally::default(), Tally::default(), begun);
    let mut count = |outcome: &Outcome, window: &mut Tally| {
        all.count(outcome);
        window.count(outcome);
    };
    let mut due = tokio::time::interval(Duration::from_secs_f64(1.0 / settings.rate));
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut report = tokio::time::interval_at(begun + REPORT_EVERY, REPORT_EVERY);
    let end = end_of(settings.duration);
    tokio::pin!(end);
    let mut requests = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = &mut end => break,
            at = due.tick() => if requests.len() < IN_FLIGHT {
                let (load, request) = (load.clone(), Request::at(fastrand::u8(..100)));
                requests.spawn(async move { load.send(request, at).await });
            } else {
                count(&Err("too_many_under_way".to_owned()), &mut window);
            },
            Some(ended) = requests.join_next() => count(&outcome(ended), &mut window),
            _ = report.tick() => {
                say_report(&say, &window, "load.window", window_begun.elapsed());
                (window, window_begun) = (Tally::default(), Instant::now());
            }
        }
    }
    let elapsed = begun.elapsed();
    let last = async {
        while let Some(ended) = requests.join_next().await {
            count(&outcome(ended), &mut window);
        }
    };
    if tokio::time::timeout(LAST_ANSWERS, last).await.is_err() {
        for _ in 0..requests.len() {
            count(&Err("abandoned".to_owned()), &mut window);
        }
    }
    say_report(&say, &all, "load.total", elapsed);
}

async fn end_of(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}

fn outcome(ended: Result<Outcome, tokio::task::JoinError>) -> Outcome {
    ended.unwrap_or_else(|_| Err("broken".to_owned()))
}

fn say_report(say: &impl Fn(&str), tally: &Tally, event: &'static str, elapsed: Duration) {
    if let Ok(line) = serde_json::to_string(&tally.report(event, elapsed)) {
        say(&line);
    }
}

impl Load {
    /// The first login, tried until the services are there.
    async fn begin(&self) {
        let mut told = false;
        while let Err(error) = self.log_in().await {
            if !told {
                tracing::warn!(event = "load.waiting", %error, "trying again");
                told = true;
            }
            tokio::time::sleep(RETRY).await;
        }
        tracing::info!(event = "load.begun", "logged in");
    }

    async fn send(&self, request: Request, due: Instant) -> Outcome {
        let caller = self.caller().await?;
        let answer = match request {
            Request::Overview => self.api.overview(&caller).await.map(drop),
            Request::Catalogue => self.api.courses(&caller).await.map(drop),
            Request::Inbox => self.api.read_inbox(&caller).await,
            Request::Login => self.log_in().await.map(drop),
        };
        if let Err(CallError::Unexpected { status: 401, .. }) = answer {
            self.forget(&caller);
        }
        answer.map(|()| due.elapsed()).map_err(|error| kind(&error))
    }

    /// A login that counts. Whoever finds none gets one while the others wait, and share what
    /// comes of it: a login for each would be another load than the one that was asked for.
    async fn caller(&self) -> Result<Arc<Caller>, String> {
        if let Some(caller) = self.known() {
            return Ok(caller);
        }
        let asked = Instant::now();
        let mut failed = self.login.turn.lock().await;
        if let Some(caller) = self.known() {
            return Ok(caller);
        }
        match &*failed {
            Some((at, kind)) if *at >= asked => return Err(kind.clone()),
            _ => {}
        }
        self.log_in().await.map_err(|error| {
            let kind = kind(&error);
            *failed = Some((Instant::now(), kind.clone()));
            kind
        })
    }

    async fn log_in(&self) -> Result<Arc<Caller>, CallError> {
        let caller = Arc::new(self.api.log_in(&STUDENT.credentials()).await?);
        *self.latest() = Some(Arc::clone(&caller));
        Ok(caller)
    }

    fn known(&self) -> Option<Arc<Caller>> {
        let caller = self.latest().clone();
        caller.filter(|caller| !caller.is_stale(Instant::now()))
    }

    /// Unless there is another one by now.
    fn forget(&self, caller: &Arc<Caller>) {
        let mut latest = self.latest();
        if latest
            .as_ref()
            .is_some_and(|latest| Arc::ptr_eq(latest, caller))
        {
            *latest = None;
        }
    }

    fn latest(&self) -> std::sync::MutexGuard<'_, Option<Arc<Caller>>> {
        let caller = &self.login.caller;
        caller.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A failure as a word to count by.
fn kind(error: &CallError) -> String {
    match error {
        CallError::Unexpected { status, .. } => format!("status_{status}"),
        CallError::AdminRefused { .. } => "status_401".to_owned(),
        CallError::Http(HttpError::NoAnswer { .. }) => "no_answer".to_owned(),
        CallError::Http(HttpError::Malformed(_) | HttpError::Request(_)) => "unreadable".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_a_hundred_and_every_number_falls_on_a_request() {
        assert_eq!(MIX.iter().map(|(_, share)| share).sum::<u8>(), 100);
        for (request, share) in MIX {
            let fell = (0..100)
                .filter(|number| Request::at(*number) == request)
                .count();
            assert_eq!(fell, usize::from(share), "{request:?}");
        }
    }
}
