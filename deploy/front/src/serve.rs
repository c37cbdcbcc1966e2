//! `lyceum-front serve`: page, doors, demo data and a little traffic, from start to end.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lyceum_contracts::user::Credentials;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::api::Api;
use crate::demo::PASSWORD;
use crate::doors::{Door, Plan};
use crate::http::Http;
use crate::page::{AdminLogin, Content, Page, Ports};
use crate::services::Addresses;
use crate::setup::{Readiness, until_whole};
use crate::status::{Checks, Tools};
use crate::traffic;

/// For connections that are open when the end comes. The services give their own 20 s
/// (`grace_ms`) and stop at the same moment: an answer that comes in the last of them still has to
/// pass through here. Docker kills after 25 s (`stop_grace_period`).
const GRACE: Duration = Duration::from_secs(22);

/// What to serve.
#[derive(Debug)]
pub struct Settings {
    /// Of the page.
    pub listen: SocketAddr,
    /// Into the stack.
    pub doors: Plan,
    /// APIs of the services, as they are found from here.
    pub apis: Addresses,
    /// Operations of the services, as they are found from here.
    pub operations: Addresses,
    /// What else the page shows the state of.
    pub tools: Tools,
    /// What the page links to.
    pub ports: Ports,
    /// Makes the demo data.
    pub admin: Credentials,
    /// Whether there shall be demo data.
    pub demo: bool,
    /// Between two visits; none without demo data.
    pub traffic: Option<Duration>,
}

/// Why there is nothing to serve, or not any more. One line each.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A port cannot be had.
    #[error("cannot listen on {address} ({purpose}): {cause}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// For whom.
        purpose: String,
        /// The system's reason.
        cause: io::Error,
    },
    /// The system does not say where it lets us listen.
    #[error(transparent)]
    System(#[from] io::Error),
    /// A part broke.
    #[error("a part of the front broke: {0}")]
    Broken(#[from] JoinError),
}

/// Serves until `stop`, and ends when all connections have, or after the grace period.
pub async fn serve(settings: Settings, stop: CancellationToken) -> Result<(), ServeError> {
    let Settings { listen, .. } = settings;
    let page = Page::open(listen).await;
    let page = page.map_err(|cause| ServeError::Listen {
        address: listen,
        purpose: "page".to_owned(),
        cause,
    })?;
    let doors = open(settings.doors)?;
    tracing::info!(event = "front.listening", address = %page.address()?, "the page is up");

    let http = Http::new();
    let (readiness, seen) = watch::channel(Readiness::begin(settings.demo));
    let content = Content {
        checks: Checks::new(http.clone(), settings.operations, settings.tools),
        ports: settings.ports,
        // Without demo data nobody has made these accounts.
        admin: settings.demo.then(|| AdminLogin {
            is_demo: settings.admin.password == PASSWORD,
            email: settings.admin.email.clone(),
        }),
        readiness: seen,
    };
    let mut parts = JoinSet::new();
    parts.spawn(page.serve(content, stop.clone(), GRACE));
    for door in doors {
        parts.spawn(door.serve(stop.clone(), GRACE));
    }
    if settings.demo {
        let (api, ended) = (Api::new(http, settings.apis), stop.clone());
        let (admin, every) = (settings.admin, settings.traffic);
        parts.spawn(async move {
            let life = live(&api, &admin, &readiness, every);
            ended.run_until_cancelled(life).await;
        });
    }
    while let Some(ended) = parts.join_next().await {
        ended?;
    }
    tracing::info!(event = "front.stopped", "all connections have ended");
    Ok(())
}

fn open(plan: Plan) -> Result<Vec<Door>, ServeError> {
    let mut doors = Vec::new();
    for planned in plan.0 {
        let upstream = planned.upstreams.join("+");
        let door = Door::open(planned.address, planned.upstreams);
        let door = door.map_err(|cause| ServeError::Listen {
            address: planned.address,
            purpose: format!("door to {upstream}"),
            cause,
        })?;
        tracing::info!(event = "door.open", address = %door.address()?, upstream, "forwarding");
        doors.push(door);
    }
    Ok(doors)
}

/// First the demo data, then visits; never ends by itself.
async fn live(
    api: &Api,
    admin: &Credentials,
    readiness: &watch::Sender<Readiness>,
    every: Option<Duration>,
) {
    until_whole(api, admin, readiness).await;
    match every {
        Some(every) => traffic::flow(api, every).await,
        None => std::future::pending().await,
    }
}
