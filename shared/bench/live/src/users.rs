//! Stands in for the user service: its key, nobody's token called in, an address for everybody.

use std::time::Duration;

use actix_web::web::{Json, Query, get, post};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::Result;
use lyceum_bench_stage::process::announce;
use lyceum_contracts::revocation::RevocationPage;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{Contact, Contacts, LookupUsers};
use serde::Deserialize;

use crate::token;

/// Serves until the process is ended.
pub(crate) fn run() -> Result<()> {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(|| {
            App::new()
                .route("/.well-known/jwks.json", get().to(keys))
                .route("/internal/revocations", get().to(revocations))
                .route("/internal/users/lookup", post().to(lookup))
        })
        .workers(1)
        .bind(("127.0.0.1", 0))?;
        announce(server.addrs().first())?;
        Ok(server.run().await?)
    })
}

async fn keys() -> HttpResponse {
    HttpResponse::Ok().json(token::keys())
}

#[derive(Deserialize)]
struct Patience {
    wait_ms: u64,
}

async fn revocations(patience: Query<Patience>) -> HttpResponse {
    tokio::time::sleep(Duration::from_millis(patience.wait_ms)).await;
    let (items, next) = (Vec::new(), 0);
    HttpResponse::Ok().json(RevocationPage { items, next })
}

async fn lookup(asked: Json<LookupUsers>) -> HttpResponse {
    let items = asked.ids.iter().map(|id| Contact {
        id: *id,
        email: format!("person-{id}@example.org"),
        full_name: format!("Person {id}"),
        role: Role::Student,
    });
    let items = items.collect();
    HttpResponse::Ok().json(Contacts { items })
}
