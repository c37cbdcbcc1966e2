//! One outage from its beginning to its end.

use std::time::Duration;

use lyceum_client::Upstream;
use lyceum_resilience::breaker::Mode;
use tokio::sync::watch;

use crate::load::Load;
use crate::record::{Phase, Record};
use crate::services::{Last, Running, client, relay};

/// A breaker that just failed a probe rests up to 40 s after 30 s of outage (5, 10, 20, 40), and its
/// ramp takes 10 s.
const LONGEST_RECOVERY: Duration = Duration::from_mins(1);
/// How long all must be well before the scene ends.
const CALM: Duration = Duration::from_secs(5);

/// How the last service is dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// Nobody listens: connections are refused.
    Gone,
    /// It takes requests and does not answer.
    Hanging,
}

/// What is played.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    death: Death,
    /// Whether the breakers may refuse; otherwise the budgets are all there is.
    pub(crate) breakers: bool,
    healthy: Duration,
    dead: Duration,
}

pub(crate) const SCENES: [Scene; 3] = [
    Scene {
        name: "gone",
        title: "the last service refuses connections for 30 s",
        death: Death::Gone,
        breakers: true,
        healthy: Duration::from_secs(10),
        dead: Duration::from_secs(30),
    },
    Scene {
        name: "hanging",
        title: "the last service takes requests and does not answer for 30 s",
        death: Death::Hanging,
        breakers: true,
        healthy: Duration::from_secs(10),
        dead: Duration::from_secs(30),
    },
    Scene {
        name: "budgets",
        title: "the last service refuses connections for 15 s, breakers held closed: what the budgets alone allow",
        death: Death::Gone,
        breakers: false,
        healthy: Duration::from_secs(10),
        dead: Duration::from_secs(15),
    },
];

/// The services of one scene, and the clients between them.
pub(crate) struct Row {
    pub(crate) first: Running,
    pub(crate) clients: [Upstream; 2],
    pub(crate) last: Last,
    /// Where the last service is, and its port for good.
    pub(crate) port: u16,
}

impl Scene {
    /// Plays the scene in real time.
    pub(crate) async fn play(&self) -> anyhow::Result<Record> {
        let (hang, hanging) = watch::channel(false);
        // The last service needs its caller's client, and that needs its address.
        let port = free_port()?;
        let to_last = client("last", ([127, 0, 0, 1], port).into())?;
        let last = Last::new(hanging, to_last.clone());
        let mut running = last.start(port)?;
        let middle = relay(to_last.clone())?;
        let to_middle = client("middle", middle.address)?;
        let first = relay(to_middle.clone())?;
        let row = Row {
            first,
            clients: [to_middle, to_last],
            last,
            port,
        };
        if !self.breakers {
            for client in &row.clients {
                for report in client.breakers() {
                    client.set_mode(&report.endpoint, Mode::ForcedClosed);
                }
            }
        }

        let mut load = Load::new(&row)?;
        load.run(Phase::Healthy, self.healthy).await;
        match self.death {
            Death::Gone => running.stop().await,
            Death::Hanging => hang.send(true)?,
        }
        load.run(Phase::Dead, self.dead).await;
        match self.death {
            Death::Gone => running = row.last.start(port)?,
            Death::Hanging => hang.send(false)?,
        }
        load.run_until_open_to_all(LONGEST_RECOVERY, CALM).await;
        let record = load.finish().await;
        for server in [&row.first, &middle, &running] {
            server.stop().await;
        }
        Ok(record)
    }
}

fn free_port() -> std::io::Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    Ok(listener.local_addr()?.port())
}
