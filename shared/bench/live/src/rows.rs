//! The limit of publishing: the rows that an event leaves behind, by sqlx alone and for nobody.
//!
//! `one` says what the service says, each event in a transaction of its own; `hundred` has the
//! server make up a hundred and writes each kind of row at once, which is as little as it can be.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use lyceum_bench_stage::process::Process;
use lyceum_bench_stage::variable;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{Connection, query, query_scalar};
use uuid::Uuid;

use crate::figures::publish::{AT_ONCE, PEOPLE_EACH, TURN};
use crate::wire;

const HUNDRED: i64 = 100;

/// Events per second, written by a process of its own.
pub(crate) fn rate(url: &str, how: &str) -> Result<f64> {
    let variables = [("DATABASE_URL", url.to_owned()), ("HOW", how.to_owned())];
    let line = Process::talker("rows", &variables)?.line()?;
    Ok(line.parse()?)
}

/// The process of its own.
#[expect(clippy::print_stdout, reason = "what it says to who has started it")]
pub(crate) fn run() -> Result<()> {
    let (url, how) = (variable("DATABASE_URL")?, variable("HOW")?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let rate = runtime.block_on(async {
        let connections = u32::try_from(AT_ONCE)?;
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .min_connections(connections)
            .connect(&url)
            .await?;
        let begun = Instant::now();
        let written = (0..AT_ONCE).map(|number| write(&pool, how == "hundred", number, begun));
        let events: i64 = try_join_all(written).await?.into_iter().sum();
        let events = u32::try_from(events).context("so many")?;
        anyhow::Ok(f64::from(events) / begun.elapsed().as_secs_f64())
    })?;
    println!("{rate}");
    Ok(())
}

async fn write(pool: &PgPool, hundreds: bool, number: i64, begun: Instant) -> Result<i64> {
    let mut connection = pool.acquire().await?;
    let first = 1 + number * PEOPLE_EACH;
    let text = wire::text(wire::now_us()?);
    let mut events = 0;
    while begun.elapsed() < TURN {
        let person = first + events % PEOPLE_EACH;
        events += if hundreds {
            hundred(&mut connection, person, &text).await?
        } else {
            one(&mut connection, person, &text).await?
        };
    }
    Ok(events)
}

async fn one(connection: &mut PgConnection, person: i64, text: &str) -> Result<i64> {
    let mut transaction = connection.begin().await?;
    let remember = query(
        "INSERT INTO processed_events (event_id, processed_at) VALUES ($1, now()) \
         ON CONFLICT DO NOTHING",
    );
    let remember = remember.bind(Uuid::now_v7().to_string());
    remember.execute(&mut *transaction).await?;
    let advance = query_scalar(
        "INSERT INTO recipients (user_id, head_seq) VALUES ($1, 1) ON CONFLICT (user_id) \
         DO UPDATE SET head_seq = recipients.head_seq + 1 RETURNING head_seq",
    );
    let seq: i64 = advance.bind(person).fetch_one(&mut *transaction).await?;
    let key = format!("announcement:{}", Uuid::now_v7());
    let replace = query(
        "DELETE FROM notifications WHERE user_id = $1 AND collapse_key = $2 AND read_at IS NULL \
         RETURNING *",
    );
    let replace = replace.bind(person).bind(&key);
    replace.fetch_all(&mut *transaction).await?;
    let append = query(
        "INSERT INTO notifications \
         (user_id, seq, kind, title, body, data, collapse_key, created_at, expires_at) \
         VALUES ($1, $2, 'announcement.posted', 'News', $3, '{\"announcement_id\": 1}', $4, \
         now(), now() + interval '30 days') RETURNING *",
    );
    let append = append.bind(person).bind(seq).bind(text).bind(&key);
    append.fetch_one(&mut *transaction).await?;
    let enqueue = query(
        "INSERT INTO mails (user_id, template, input, state, attempts, claims, due_at, \
         message_id, created_at, updated_at) VALUES ($1, 'announcement', \
         jsonb_build_object('title', 'News', 'text', $2), 'queued', 0, 0, now(), $3, now(), now()) \
         RETURNING *",
    );
    let message_id = format!("<{}@lyceum.test>", Uuid::now_v7());
    let enqueue = enqueue.bind(person).bind(text).bind(message_id);
    enqueue.fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(1)
}

async fn hundred(connection: &mut PgConnection, first: i64, text: &str) -> Result<i64> {
    let mut transaction = connection.begin().await?;
    let remember = query(
        "INSERT INTO processed_events (event_id, processed_at) \
         SELECT gen_random_uuid()::text, now() FROM generate_series(1, $1)",
    );
    remember.bind(HUNDRED).execute(&mut *transaction).await?;
    let append = query(
        "WITH advanced AS (INSERT INTO recipients (user_id, head_seq) \
         SELECT $1 + n, 1 FROM generate_series(0, $2 - 1) n ON CONFLICT (user_id) \
         DO UPDATE SET head_seq = recipients.head_seq + 1 RETURNING user_id, head_seq) \
         INSERT INTO notifications \
         (user_id, seq, kind, title, body, data, collapse_key, created_at, expires_at) \
         SELECT user_id, head_seq, 'announcement.posted', 'News', $3, \
         '{\"announcement_id\": 1}'::jsonb, 'announcement:' || gen_random_uuid(), now(), \
         now() + interval '30 days' FROM advanced RETURNING id",
    );
    let append = append.bind(first).bind(HUNDRED).bind(text);
    let appended = append.fetch_all(&mut *transaction).await?.len();
    let enqueue = query(
        "INSERT INTO mails (user_id, template, input, state, attempts, claims, due_at, \
         message_id, created_at, updated_at) SELECT $1 + n, 'announcement', \
         jsonb_build_object('title', 'News', 'text', $3), 'queued', 0, 0, now(), \
         '<' || gen_random_uuid() || '@lyceum.test>', now(), now() \
         FROM generate_series(0, $2 - 1) n",
    );
    let enqueue = enqueue.bind(first).bind(HUNDRED).bind(text);
    enqueue.execute(&mut *transaction).await?;
    transaction.commit().await?;
    ensure!(i64::try_from(appended)? == HUNDRED, "{appended} written");
    Ok(HUNDRED)
}
