//! One query and the three calls to the peers, at once, with a bare reqwest.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web::{Data, Path};
use actix_web::{HttpResponse, error};
use anyhow::Result;
use futures_util::join;
use lyceum_bench_stage::variable;
use lyceum_client::{Identity, ServiceAuthSettings};
use lyceum_contracts::course::{EnrolledCourse, UserStats};
use lyceum_contracts::notification::UnreadCount;
use lyceum_contracts::page::Page;
use lyceum_contracts::user::{Overview, OverviewParts, PartAge};
use serde::de::DeserializeOwned;
use sqlx::postgres::PgPool;

use super::find;

/// A token between services counts for a minute.
const RENEW_AFTER: Duration = Duration::from_secs(30);

/// The two services asked.
pub(super) struct Peers {
    client: reqwest::Client,
    identity: Identity,
    course: Peer,
    notification: Peer,
}

struct Peer {
    url: String,
    name: &'static str,
    token: Mutex<Option<(Instant, String)>>,
}

impl Peers {
    pub(super) fn from_environment() -> Result<Self> {
        let peer = |name, variable_name| {
            anyhow::Ok(Peer {
                url: variable(variable_name)?,
                name,
                token: Mutex::default(),
            })
        };
        let secrets = vec![variable("SERVICE_SECRET")?.into()];
        Ok(Self {
            client: reqwest::Client::builder().build()?,
            identity: Identity::new("user", &ServiceAuthSettings { secrets })?,
            course: peer("course", "COURSE_URL")?,
            notification: peer("notification", "NOTIFICATION_URL")?,
        })
    }

    async fn ask<T: DeserializeOwned>(&self, peer: &Peer, path: String) -> reqwest::Result<T> {
        let request = self.client.get(format!("{}{path}", peer.url));
        let answer = request.bearer_auth(self.token(peer)).send().await?;
        answer.error_for_status()?.json().await
    }

    fn token(&self, peer: &Peer) -> String {
        let mut token = peer.token.lock().unwrap_or_else(PoisonError::into_inner);
        match &*token {
            Some((since, token)) if since.elapsed() < RENEW_AFTER => token.clone(),
            _ => {
                let minted = self.identity.mint(peer.name);
                *token = Some((Instant::now(), minted.clone()));
                minted
            }
        }
    }
}

pub(super) async fn get_overview(
    id: Path<i64>,
    pool: Data<PgPool>,
    peers: Data<Peers>,
) -> Result<HttpResponse, error::Error> {
    let id = *id;
    let (user, courses, stats, unread) = join!(
        find(&pool, id),
        peers.ask::<Page<EnrolledCourse>>(&peers.course, format!("/users/{id}/courses?limit=1000")),
        peers.ask::<UserStats>(&peers.course, format!("/users/{id}/stats")),
        peers.ask::<UnreadCount>(
            &peers.notification,
            format!("/internal/users/{id}/unread-count")
        ),
    );
    let asked = Some(PartAge {
        kept_since: None,
        stale: false,
    });
    Ok(HttpResponse::Ok().json(Overview {
        user: user?,
        courses: courses.map_err(error::ErrorBadGateway)?.items,
        stats: Some(stats.map_err(error::ErrorBadGateway)?),
        unread: Some(unread.map_err(error::ErrorBadGateway)?.unread),
        degraded: Vec::new(),
        parts: OverviewParts {
            courses: asked,
            stats: asked,
            unread: asked,
        },
    }))
}
