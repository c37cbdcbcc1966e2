//! A wire to a service that loses, breaks and holds back what passes over it, as a seed says.
//!
//! ```no_run
//! # use lyceum_testing::wire::{Odds, Wire};
//! # let service = "http://127.0.0.1:8001";
//! let wire = Wire::to(service, Odds { reset: 5, lost: 5, silent: 2, late: 2 }, 7);
//! let base_url = wire.url();      // for the caller
//! ```
//!
//! What becomes of a request follows from the seed, what it asks and which attempt it is, never
//! from the order of arrival: the same calls meet the same faults however they are interleaved.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use http::HeaderMap;
use lyceum_contracts::header::ATTEMPT;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::journal::Journal;
use crate::socket::{Connection, Message, SocketServer};
use crate::{PATIENCE, peer::Received};

/// A proxy on a thread of its own between a caller and a service.
#[derive(Debug)]
pub struct Wire {
    line: Arc<Line>,
    server: SocketServer,
}

/// What the connections and the test share.
#[derive(Debug)]
struct Line {
    /// `127.0.0.1:<port>`
    target: String,
    odds: Odds,
    seed: u64,
    fates: Journal<(Received, Fate)>,
    under_way: watch::Sender<usize>,
}

/// How many requests of a hundred meet which fault; all others pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct Odds {
    /// See [`Fate::Reset`].
    pub reset: u8,
    /// See [`Fate::Lost`].
    pub lost: u8,
    /// See [`Fate::Silent`].
    pub silent: u8,
    /// See [`Fate::Late`].
    pub late: u8,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is answered.
    Passed,
    /// The connection is torn down before the service hears of it.
    Reset,
    /// The service answers, and the connection is torn down instead of bringing the answer.
    Lost,
    /// The service answers, and the answer is held until the caller gives up.
    Silent,
    /// It is held until the caller gives up, and only then reaches the service: beside its own
    /// repeat, or after it.
    Late,
}

impl Fate {
    /// Whether the service heard of it.
    pub const fn reaches_the_service(self) -> bool {
        !matches!(self, Self::Reset)
    }
}

impl Wire {
    /// A wire to `service`, such as `http://127.0.0.1:8001`.
    ///
    /// # Panics
    /// When the odds exceed a hundred.
    pub fn to(service: &str, odds: Odds, seed: u64) -> Self {
        let Odds {
            reset,
            lost,
            silent,
            late,
        } = odds;
        let all: u32 = [reset, lost, silent, late].map(u32::from).iter().sum();
        assert!(all <= 100, "{all} of a hundred");
        let line = Arc::new(Line {
            target: service.trim_start_matches("http://").to_owned(),
            odds,
            seed,
            fates: Journal::default(),
            under_way: watch::Sender::new(0),
        });
        let served = line.clone();
        let server = SocketServer::start("wire", move |connection| {
            let line = served.clone();
            // A connection that breaks is what this is about.
            async move { line.carry_all(connection).await.unwrap_or_default() }
        });
        Self { line, server }
    }

    /// `http://127.0.0.1:<port>` for the caller.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Every request so far and what became of it, in the order of arrival.
    pub fn requests(&self) -> Vec<(Received, Fate)> {
        self.line.fates.entries()
    }

    /// How many requests met which fate.
    pub fn fates(&self) -> BTreeMap<Fate, usize> {
        let mut counts = BTreeMap::new();
        for (_, fate) in self.requests() {
            *counts.entry(fate).or_default() += 1;
        }
        counts
    }

    /// Waits until the service has answered all that reached it, late requests included.
    ///
    /// # Panics
    /// When that takes longer than [`PATIENCE`].
    pub async fn settled(&self) {
        let mut under_way = self.line.under_way.subscribe();
        let settled = tokio::time::timeout(PATIENCE, under_way.wait_for(|requests| *requests == 0));
        let settled = settled.await.expect("the service answers in time");
        settled.expect("the wire is there");
    }
}

impl Line {
    async fn carry_all(&self, mut caller: Connection) -> io::Result<()> {
        let mut service = None;
        while let Some(request) = caller.read_request().await? {
            let _under_way = UnderWay::begin(&self.under_way);
            let fate = self.fate(&request);
            self.fates.push((Received::parse(request.clone()), fate));
            match fate {
                Fate::Passed => {
                    let answer = self.ask(&mut service, &request).await?;
                    caller.write(&answer.to_bytes()).await?;
                }
                Fate::Reset => return caller.reset(),
                Fate::Lost => {
                    self.ask(&mut service, &request).await?;
                    return caller.reset();
                }
                Fate::Silent => {
                    self.ask(&mut service, &request).await?;
                    caller.abandoned().await;
                    return Ok(());
                }
                Fate::Late => {
                    caller.abandoned().await;
                    return self.ask(&mut service, &request).await.map(drop);
                }
            }
        }
        Ok(())
    }

    /// Asks the service, on the connection to it that belongs to the caller's.
    async fn ask(
        &self,
        service: &mut Option<Connection>,
        request: &Message,
    ) -> io::Result<Message> {
        let connection = match service {
            Some(connection) => connection,
            None => service.insert(Connection::new(TcpStream::connect(&self.target).await?)),
        };
        connection.write(&request.to_bytes()).await?;
        let answer = connection.read_response().await?;
        answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn fate(&self, request: &Message) -> Fate {
        let attempt = header(&request.headers, ATTEMPT);
        let parts: [&[u8]; 4] = [
            &self.seed.to_be_bytes(),
            request.start_line.as_bytes(),
            attempt.as_bytes(),
            &request.body,
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        let digest = hash.finalize();
        // 2^32 is as good as a multiple of 100.
        let drawn = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]) % 100;
        let mut below = 0;
        let odds = [
            (Fate::Reset, self.odds.reset),
            (Fate::Lost, self.odds.lost),
            (Fate::Silent, self.odds.silent),
            (Fate::Late, self.odds.late),
        ];
        for (fate, share) in odds {
            below += u32::from(share);
            if drawn < below {
                return fate;
            }
        }
        Fate::Passed
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// One request, until it is done with.
struct UnderWay<'a>(&'a watch::Sender<usize>);

impl<'a> UnderWay<'a> {
    fn begin(requests: &'a watch::Sender<usize>) -> Self {
        requests.send_modify(|requests| *requests += 1);
        Self(requests)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}
