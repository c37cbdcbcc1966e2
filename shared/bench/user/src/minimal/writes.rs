//! A thousand accounts with one INSERT, and with one for each table the user service writes.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, error};
use anyhow::Result;
use lyceum_contracts::bulk::{CreateUsers, CreatedUsers};
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{AccountStatus, User};
use sqlx::postgres::{PgPool, Postgres};
use sqlx::{Executor, query, query_as, query_scalar};
use time::OffsetDateTime;
use uuid::Uuid;

use super::broken;

/// The accounts and nothing else.
pub(super) async fn create_users(
    request: Json<CreateUsers>,
    pool: Data<PgPool>,
) -> Result<HttpResponse, error::Error> {
    let now = OffsetDateTime::now_utc();
    let ids = insert(&**pool, &request, now).await.map_err(broken)?;
    answer(request.into_inner(), ids, now)
}

/// The accounts, for each a link to choose a password by, an event and an audit entry, and the
/// answer under a key for whoever asks again: every row the user service has promised when it
/// answers.
pub(super) async fn create_users_as_promised(
    request: Json<CreateUsers>,
    pool: Data<PgPool>,
) -> Result<HttpResponse, error::Error> {
    let now = OffsetDateTime::now_utc();
    let mut transaction = pool.begin().await.map_err(broken)?;
    let ids = promise(&mut transaction, &request, now).await;
    let answer = created(request.into_inner(), ids.map_err(broken)?, now);
    let answer = answer.and_then(|answer| Ok(serde_json::to_string(&answer)?));
    let answer = answer.map_err(error::ErrorInternalServerError)?;
    keep(&mut transaction, &answer, now).await.map_err(broken)?;
    transaction.commit().await.map_err(broken)?;
    let mut response = HttpResponse::Created();
    Ok(response.content_type("application/json").body(answer))
}

async fn insert(
    db: impl Executor<'_, Database = Postgres>,
    request: &CreateUsers,
    now: OffsetDateTime,
) -> sqlx::Result<Vec<i64>> {
    let emails: Vec<_> = request
        .items
        .iter()
        .map(|item| item.email.as_str())
        .collect();
    let folded: Vec<_> = emails.iter().map(|email| email.to_lowercase()).collect();
    let names: Vec<_> = request
        .items
        .iter()
        .map(|item| item.full_name.as_str())
        .collect();
    query_scalar(
        "INSERT INTO users (email, email_folded, full_name, full_name_folded, password_hash, role, \
         status, version, token_version, created_at, updated_at) \
         SELECT email, email_folded, full_name, lower(full_name), '!', 'student', 'invited', 1, 1, $4, $4 \
         FROM unnest($1::text[], $2::text[], $3::text[]) AS given (email, email_folded, full_name) \
         RETURNING id",
    )
    .bind(emails)
    .bind(folded)
    .bind(names)
    .bind(now)
    .fetch_all(db)
    .await
}

async fn promise(
    transaction: &mut sqlx::Transaction<'_, Postgres>,
    request: &CreateUsers,
    now: OffsetDateTime,
) -> sqlx::Result<Vec<i64>> {
    let ids = insert(&mut **transaction, request, now).await?;
    let links: Vec<(i64, i64)> = query_as(
        "INSERT INTO mailed_links (user_id, purpose, created_at) \
         SELECT user_id, 'accept_invitation', $2 FROM unnest($1::bigint[]) AS given (user_id) \
         RETURNING id, user_id",
    )
    .bind(&ids)
    .bind(now)
    .fetch_all(&mut **transaction)
    .await?;
    let requested = links.iter().map(|(link, user)| {
        format!(
            r#"{{"kind":"mailed_link.requested","user_id":{user},"link_id":{link},"purpose":"accept_invitation"}}"#
        )
    });
    push(transaction, requested.collect(), now).await?;
    query(
        "INSERT INTO audit_entries (at, action, actor_id, subject_id) \
         SELECT $2, 'invited', 1, id FROM unnest($1::bigint[]) AS given (id)",
    )
    .bind(&ids)
    .bind(now)
    .execute(&mut **transaction)
    .await?;
    Ok(ids)
}

/// The answer, under a key as long as a real one.
async fn keep(
    transaction: &mut sqlx::Transaction<'_, Postgres>,
    answer: &str,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let key = Uuid::now_v7().to_string();
    query(
        "INSERT INTO idempotency_keys (owner, route, key, fingerprint, status, body, created_at) \
         VALUES ('user:1', 'POST /users/bulk', $1, $1, 201, $2, $3)",
    )
    .bind(key)
    .bind(answer)
    .bind(now)
    .execute(&mut **transaction)
    .await
    .map(drop)
}

/// Addressed to nobody, so that no relay takes them up.
async fn push(
    transaction: &mut sqlx::Transaction<'_, Postgres>,
    payloads: Vec<String>,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    let event_ids: Vec<_> = payloads
        .iter()
        .map(|_| Uuid::now_v7().to_string())
        .collect();
    query(
        "INSERT INTO outbox (event_id, kind, payload, occurred_at, available_at, attempts, destination) \
         SELECT event_id, 'mailed_link.requested', payload::jsonb, $1, $1, 0, 'nobody' \
         FROM unnest($2::text[], $3::text[]) AS given (event_id, payload)",
    )
    .bind(now)
    .bind(event_ids)
    .bind(payloads)
    .execute(&mut **transaction)
    .await
    .map(drop)
}

fn answer(
    request: CreateUsers,
    ids: Vec<i64>,
    now: OffsetDateTime,
) -> Result<HttpResponse, error::Error> {
    let answer = created(request, ids, now).map_err(error::ErrorInternalServerError)?;
    Ok(HttpResponse::Created().json(answer))
}

fn created(request: CreateUsers, ids: Vec<i64>, now: OffsetDateTime) -> Result<CreatedUsers> {
    let items = request.items.into_iter().zip(ids).map(|(item, id)| {
        Ok(User {
            id: id.try_into()?,
            email: item.email,
            full_name: item.full_name,
            role: Role::Student,
            version: 1,
            created_at: now,
            status: AccountStatus::Invited,
        })
    });
    let items: Result<_> = items.collect();
    Ok(CreatedUsers { items: items? })
}
