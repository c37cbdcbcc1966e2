//! The least that could answer the same: actix, sqlx, serde. No tokens, no traces, no limits, no
//! problems, nobody told of anything.
//!
//! It reads and writes the tables of the user service, with as many workers and connections, and
//! its answers have the same bytes. Connections are not tested before use, as they are not there.

mod overview;
mod writes;

use actix_web::web::{self, Data, JsonConfig, Path, get, post};
use actix_web::{App, HttpResponse, HttpServer, error};
use anyhow::Result;
use lyceum_bench_stage::process::announce;
use lyceum_bench_stage::variable;
use lyceum_contracts::page::Page;
use lyceum_contracts::user::{AdminUser, User};
use sqlx::postgres::{PgPool, PgPoolOptions, PgRow};
use sqlx::{Row, query};

use self::overview::Peers;
use crate::platform::CONNECTIONS;

/// Serves until the process is ended.
pub(crate) fn run() -> Result<()> {
    let url = variable("DATABASE_URL")?;
    actix_web::rt::System::new().block_on(async move {
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .min_connections(20)
            .test_before_acquire(false)
            .connect(&url)
            .await?;
        let pool = Data::new(pool);
        let peers = Data::new(Peers::from_environment()?);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(pool.clone())
                .app_data(peers.clone())
                .app_data(JsonConfig::default().limit(4 << 20))
                .route("/users", get().to(list_users))
                .route("/users/bulk", post().to(writes::create_users))
                .route(
                    "/users/bulk/promised",
                    post().to(writes::create_users_as_promised),
                )
                .route("/users/{id}", get().to(get_user))
                .route("/users/{id}/overview", get().to(overview::get_overview))
        })
        .bind(("127.0.0.1", 0))?;
        announce(server.addrs().first())?;
        Ok(server.run().await?)
    })
}

async fn get_user(id: Path<i64>, pool: Data<PgPool>) -> Result<HttpResponse, error::Error> {
    let user = find(&pool, *id).await?;
    Ok(HttpResponse::Ok().json(user))
}

async fn find(pool: &PgPool, id: i64) -> Result<User, error::Error> {
    let found = query(
        "SELECT id, email, full_name, role, version, created_at, status FROM users \
         WHERE id = $1 AND status <> 'deleted'",
    );
    let row = found.bind(id).fetch_optional(pool).await.map_err(broken)?;
    let row = row.ok_or_else(|| error::ErrorNotFound("no such account"))?;
    user(&row).map_err(error::ErrorInternalServerError)
}

fn user(row: &PgRow) -> Result<User> {
    Ok(User {
        id: row.try_get::<i64, _>("id")?.try_into()?,
        email: row.try_get("email")?,
        full_name: row.try_get("full_name")?,
        role: row.try_get::<&str, _>("role")?.parse()?,
        version: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
        status: row.try_get::<&str, _>("status")?.parse()?,
    })
}

#[derive(serde::Deserialize)]
struct Window {
    limit: i64,
}

async fn list_users(
    window: web::Query<Window>,
    pool: Data<PgPool>,
) -> Result<HttpResponse, error::Error> {
    let found = query(
        "SELECT id, email, full_name, role, version, created_at, updated_at, status FROM users \
         WHERE status <> 'deleted' ORDER BY id LIMIT $1",
    );
    let found = found.bind(window.limit + 1);
    let rows = found.fetch_all(&**pool).await.map_err(broken)?;
    let page = page(&rows, window.limit).map_err(error::ErrorInternalServerError)?;
    Ok(HttpResponse::Ok().json(page))
}

/// With a cursor as long as the real one.
fn page(rows: &[PgRow], limit: i64) -> Result<Page<AdminUser>> {
    let limit = usize::try_from(limit)?;
    let items = rows.iter().take(limit).map(admin_user);
    Ok(Page {
        items: items.collect::<Result<_>>()?,
        next_cursor: (rows.len() > limit)
            .then(|| "17o3HyDTprJ7ImtleSI6bnVsbCwiaWQiOjEwMH0".to_owned()),
        total: None,
    })
}

fn admin_user(row: &PgRow) -> Result<AdminUser> {
    Ok(AdminUser {
        id: row.try_get::<i64, _>("id")?.try_into()?,
        email: row.try_get("email")?,
        full_name: row.try_get("full_name")?,
        role: row.try_get::<&str, _>("role")?.parse()?,
        status: row.try_get::<&str, _>("status")?.parse()?,
        version: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

#[expect(clippy::needless_pass_by_value, reason = "what map_err wants")]
fn broken(error: sqlx::Error) -> error::Error {
    error::ErrorInternalServerError(error.to_string())
}
