//! How replicas tell one another that there is something to read: Postgres `NOTIFY`.
//!
//! It carries which sequence has come how far, and nothing else: a replica that has a stream of
//! it reads the rest. It is sent after the commit of what it tells of, by a task of its own,
//! because commits that notify wait for one another in the whole server; so many are gathered for
//! a few milliseconds and told with one. What is lost on the way, with a process that is killed or
//! a connection that breaks, is found by the sweep.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lyceum_chassis::database::{Database, DbErr};
use lyceum_chassis::settings::Secret;
use sea_orm::sqlx;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sea_orm::{ConnectionTrait, Statement};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::hub::Hub;
use super::topic::Topic;
use super::worker::{self, look};

/// The channel, in a database that is this service's own.
const CHANNEL: &str = "lyceum_live";
/// From one telling to the next: at most 200 commits a second that wait for each other.
const GATHER: Duration = Duration::from_millis(5);
/// Postgres refuses 8000 bytes.
const MAX_PAYLOAD: usize = 7_900;
/// How long after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// What the other replicas have not been told yet; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct News(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// How far which sequence has come.
    heads: Mutex<HashMap<Topic, i64>>,
    some: Notify,
}

impl News {
    /// To be told soon.
    pub(super) fn add(&self, topic: Topic, head_seq: i64) {
        let mut heads = self.heads();
        let head = heads.entry(topic).or_default();
        *head = head_seq.max(*head);
        drop(heads);
        self.0.some.notify_one();
    }

    fn take(&self) -> HashMap<Topic, i64> {
        std::mem::take(&mut *self.heads())
    }

    fn heads(&self) -> MutexGuard<'_, HashMap<Topic, i64>> {
        self.0.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the other replicas until it is told to stop, and once more then.
    pub(crate) async fn tell(self, database: Database, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let some = stop.run_until_cancelled(self.0.some.notified()).await;
            let told = notify(&database, self.take()).await;
            // One line when it begins, not one per try.
            if let (Err(error), false) = (&told, failing) {
                let error = error as &dyn std::error::Error;
                tracing::warn!(
                    event = "live.notify_failed",
                    error,
                    "other replicas hear late"
                );
            }
            failing = told.is_err();
            if some.is_none() {
                return;
            }
            sleep(GATHER).await;
        }
    }
}

async fn notify(database: &Database, heads: HashMap<Topic, i64>) -> Result<(), DbErr> {
    for payload in payloads(heads) {
        let backend = database.get_database_backend();
        let sql = "SELECT pg_notify($1, $2)";
        let values = [CHANNEL.into(), payload.into()];
        database
            .execute_raw(Statement::from_sql_and_values(backend, sql, values))
            .await?;
    }
    Ok(())
}

/// `7:42 c8:3`: which sequence has come how far, as much of it in each text as may be sent at once.
fn payloads(heads: impl IntoIterator<Item = (Topic, i64)>) -> Vec<String> {
    let mut payloads: Vec<String> = Vec::new();
    for (topic, head) in heads {
        let one = format!("{topic}:{head}");
        match payloads.last_mut() {
            // Writing to a String cannot fail.
            Some(last) if last.len() + 1 + one.len() <= MAX_PAYLOAD => {
                write!(last, " {one}").ok();
            }
            _ => payloads.push(one),
        }
    }
    payloads
}

/// What cannot be read is left out: whoever may write to the channel can wake streams, no more.
fn read(payload: &str) -> impl Iterator<Item = (Topic, i64)> {
    payload.split(' ').filter_map(|one| {
        let (topic, head) = one.split_once(':')?;
        Some((topic.parse().ok()?, head.parse().ok()?))
    })
}

/// Hears what other replicas tell, on a connection of its own to the database at `url`, until it
/// is told to stop.
pub(crate) async fn listen(hub: Hub, database: Database, url: Secret, stop: CancellationToken) {
    let mut failing = false;
    loop {
        let heard = hear(&hub, &database, &url, &mut failing);
        let Some(Err(error)) = stop.run_until_cancelled(heard).await else {
            return;
        };
        if !failing {
            // Without the text of the error, which may quote the URL and with it the password.
            tracing::warn!(
                event = "live.listen_failed",
                kind = kind(&error),
                "other replicas are heard late"
            );
        }
        failing = true;
        if stop.run_until_cancelled(sleep(RETRY)).await.is_none() {
            return;
        }
    }
}

async fn hear(
    hub: &Hub,
    database: &Database,
    url: &Secret,
    failing: &mut bool,
) -> Result<Infallible, sqlx::Error> {
    let options = PgConnectOptions::from_str(url.expose())?
        .application_name("lyceum-notification-listen")
        .options([("statement_timeout", "0")]);
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    listener.listen(CHANNEL).await?;
    *failing = false;
    loop {
        // What was told while nobody listened. A failure is the sweep's to report.
        look(hub, database).await.ok();
        // Nothing when the connection was lost, and is there again.
        while let Some(told) = listener.try_recv().await? {
            for (topic, head_seq) in read(told.payload()) {
                worker::hear(hub, database, topic, head_seq).await;
            }
        }
    }
}

const fn kind(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Configuration(_) => "configuration",
        sqlx::Error::Database(_) => "refused",
        sqlx::Error::Io(_) => "io",
        sqlx::Error::Tls(_) => "tls",
        sqlx::Error::PoolTimedOut => "timeout",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn topic(is_course: bool, id: i64) -> Topic {
        if is_course {
            Topic::Course(id.try_into().unwrap())
        } else {
            Topic::Person(id.try_into().unwrap())
        }
    }

    proptest! {
        #[test]
        fn what_is_told_is_heard_in_pieces_that_may_be_sent(
            heads in prop::collection::hash_map((any::<bool>(), 1..=i64::MAX), 0..=i64::MAX, 0..900),
        ) {
            let heads = heads.into_iter().map(|((is_course, id), head)| (topic(is_course, id), head));
            let heads: HashMap<Topic, i64> = heads.collect();
            let payloads = payloads(heads.clone());
            prop_assert!(payloads.iter().all(|it| (1..=MAX_PAYLOAD).contains(&it.len())));
            let heard: HashMap<_, _> = payloads.iter().flat_map(|it| read(it)).collect();
            prop_assert_eq!(heard, heads);
        }

        #[test]
        fn noise_wakes_nobody(noise in "[ :a-d0-9-]{0,60}") {
            for (topic, _) in read(&noise) {
                let id = match topic {
                    Topic::Person(user) => user.get(),
                    Topic::Course(course) => course.get(),
                };
                prop_assert!(id > 0);
            }
        }
    }

    #[test]
    fn the_newest_place_of_each_is_told_once() {
        let news = News::default();
        for (topic, expected) in [(topic(false, 7), "7:5"), (topic(true, 7), "c7:5")] {
            for head in [3, 5, 4] {
                news.add(topic, head);
            }
            assert_eq!(payloads(news.take()), [expected]);
        }
        assert_eq!(payloads(news.take()), [""; 0]);
    }
}
