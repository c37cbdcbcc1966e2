//! Whoever tells the service, or the loop, what all are to hear.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use lyceum_bench_stage::SECRET;
use lyceum_bench_stage::http::{self, Connection};
use lyceum_client::{Identity, ServiceAuthSettings};
use lyceum_contracts::event::{Envelope, Event, MAX_BATCH};
use lyceum_contracts::notification::EventBatch;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::wire;

/// One connection to a service, kept as long as it lets it.
pub(crate) struct Publisher {
    identity: Identity,
    connection: Connection,
}

impl Publisher {
    pub(crate) async fn to(port: u16) -> Result<Self> {
        let secrets = vec![SECRET.into()];
        Ok(Self {
            identity: Identity::new("user", &ServiceAuthSettings { secrets })?,
            connection: Connection::to(port).await?,
        })
    }

    /// Tells each of `people` a hundred bytes, in one request; at most [`MAX_BATCH`].
    pub(crate) async fn tell(&mut self, people: &[i64], sent_us: u64) -> Result<()> {
        let events: Result<Vec<_>> = people
            .iter()
            .map(|person| announcement(*person, sent_us))
            .collect();
        let body = serde_json::to_vec(&EventBatch { events: events? })?;
        let token = self.identity.mint("notification");
        let request = http::post("/internal/events", &token, &body);
        let answer = self.connection.ask(&request).await?;
        let text = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status == 200, "{}: {text}", answer.status);
        Ok(())
    }
}

/// One that nobody has heard of before: told again it would replace what it was.
fn announcement(person: i64, sent_us: u64) -> Result<Envelope> {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    Ok(Envelope {
        event_id: Uuid::now_v7(),
        occurred_at: OffsetDateTime::from(SystemTime::now()),
        traceparent: None,
        event: Event::AnnouncementPosted {
            announcement_id: NEXT.fetch_add(1, Ordering::Relaxed),
            user_id: person.try_into()?,
            title: "News".to_owned(),
            text: wire::text(sent_us),
        },
    })
}

/// Tells each of `people` the same, over several connections at once.
pub(crate) async fn tell_all(port: u16, people: &[i64], connections: usize) -> Result<()> {
    let sent_us = wire::now_us()?;
    let shares = people.chunks(people.len().div_ceil(connections).max(1));
    let told = shares.map(|share| async move {
        let mut publisher = Publisher::to(port).await?;
        for batch in share.chunks(MAX_BATCH) {
            publisher.tell(batch, sent_us).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(told).await.map(drop)
}

/// Has the bare loop send `count` messages of so many bytes.
pub(crate) async fn tell_bare(
    connection: &mut Connection,
    count: usize,
    bytes: usize,
) -> Result<()> {
    let text = wire::text(wire::now_us()?);
    let body = vec![format!("{text:x<bytes$}"); count].join("\n");
    let request = http::post("/say", "", body.as_bytes());
    let (status, _) = connection.exchange(&request).await?;
    ensure!(status == 200, "the loop answered {status}");
    Ok(())
}
