//! Who is measured when, and what is made of it.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use lyceum_bench_stage::http::{self, Connection};
use lyceum_bench_stage::variable;

use crate::bulk::Opener;
use crate::load::{Outcome, Plan};
use crate::platform::Platform;
use crate::seed::{Everybody, Person, drained, seed};
use crate::table::{self, Bulk, Reads};

/// Turns of each contestant.
const ROUNDS: usize = 5;
/// How long a turn is.
const TURN_S: f64 = 1.2;
/// Requests in flight: enough to keep two workers busy, few enough not to queue for a connection.
const CALLERS: usize = 16;
/// Bulk requests of each contestant.
const BULK_ROUNDS: usize = 7;

/// Measures what `arguments` name, or everything.
pub(crate) fn run(binaries: Option<String>, arguments: impl Iterator<Item = String>) -> Result<()> {
    let binaries = PathBuf::from(binaries.context("the folder of the services' binaries, first")?);
    let postgres = variable("TEST_POSTGRES_URL")?;
    let wanted: Vec<String> = arguments.collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let platform = Platform::start(&binaries, &postgres).await?;
        let everybody = seed(&platform).await?;
        let bench = Bench {
            platform,
            everybody,
        };
        bench.measure(&wanted).await
    })
}

struct Bench {
    platform: Platform,
    everybody: Everybody,
}

impl Bench {
    async fn measure(&self, wanted: &[String]) -> Result<()> {
        let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
        let at_start = self.platform.user.process.resident()?;
        table::head();
        let people = &self.everybody.people[..];
        let admin = std::slice::from_ref(&self.everybody.admin);
        for (name, title, goal, path, who) in [
            ("user", "GET /users/{id}", 0.70, "/users/{id}", people),
            (
                "list",
                "GET /users?limit=100",
                0.75,
                "/users?limit=100",
                admin,
            ),
            (
                "overview",
                "GET /users/{id}/overview",
                0.65,
                "/users/{id}/overview",
                people,
            ),
        ] {
            if is_wanted(name) {
                let reads = self.reads(path, who).await?;
                table::reads(title, goal, &reads);
            }
        }
        if is_wanted("bulk") {
            table::bulk(&self.bulk().await?);
        }
        table::memory(at_start, self.platform.user.process.resident()?);
        Ok(())
    }

    /// Lets ours and the minimal one answer the same in turn.
    async fn reads(&self, path: &str, who: &[Person]) -> Result<Reads> {
        let targets = who.iter().map(|person| {
            let path = path.replace("{id}", &person.id.to_string());
            (path, person.token.clone())
        });
        let targets: Vec<_> = targets.collect();
        let ours = (self.platform.user.port, &self.platform.user.process);
        let minimal = (self.platform.minimal.port, &self.platform.minimal.process);
        for (path, token) in &targets {
            let request = http::get(path, token);
            let ours = Connection::to(ours.0).await?.ask(&request).await?;
            let minimal = Connection::to(minimal.0).await?.ask(&request).await?;
            let lengths = (ours.body.len(), minimal.body.len());
            ensure!(
                lengths.0 == lengths.1,
                "{path}: not the same: {} and {}",
                String::from_utf8_lossy(&ours.body),
                String::from_utf8_lossy(&minimal.body)
            );
        }
        let mut reads = Reads::default();
        let spans = self.platform.collector.spans().await?;
        // One round more, to warm up.
        for round in 0..=ROUNDS {
            for (contestant, results) in [(ours, &mut reads.ours), (minimal, &mut reads.minimal)] {
                let plan = Plan {
                    port: contestant.0,
                    connections: CALLERS,
                    seconds: TURN_S,
                    targets: targets.clone(),
                };
                let before = contestant.1.usage()?;
                let outcome = plan.carry_out()?;
                let cpu_s = contestant.1.usage()?.cpu_s - before.cpu_s;
                if round > 0 {
                    results.push((outcome, cpu_s));
                } else if contestant.0 == ours.0 {
                    reads.warm_up = u64::from(outcome.answers);
                }
            }
        }
        // What is still on its way.
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
        reads.spans = self.platform.collector.spans().await? - spans;
        Ok(reads)
    }

    /// Opens a thousand accounts at a time: ours, one INSERT, and one per table.
    async fn bulk(&self) -> Result<Bulk> {
        let mut opener = Opener::new(self.everybody.admin.token.clone());
        let (ours, minimal) = (self.platform.user.port, self.platform.minimal.port);
        let mut bulk = Bulk::default();
        for round in 0..=BULK_ROUNDS {
            for (port, path, results) in [
                (ours, "/users/bulk", &mut bulk.ours),
                (minimal, "/users/bulk", &mut bulk.one_insert),
                (minimal, "/users/bulk/promised", &mut bulk.promised),
            ] {
                drained(&self.platform).await?;
                let took = opener.open(port, path).await?;
                if round > 0 {
                    results.push(took);
                }
            }
        }
        drained(&self.platform).await?;
        Ok(bulk)
    }
}

/// Of one turn: the outcome, and the seconds of a core the service took for it.
pub(crate) type Turn = (Outcome, f64);
