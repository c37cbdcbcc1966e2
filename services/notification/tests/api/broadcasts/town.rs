//! The service with peers that know who there is, and an admin who has something to say.

use std::collections::BTreeMap;
use std::ops::Deref;

use lyceum_contracts::broadcast::Broadcast;
use lyceum_contracts::job::JobStatus;
use lyceum_contracts::user::LookupUsers;
use lyceum_notification::settings::BroadcastsSettings;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::eventually;
use lyceum_testing::http::Response;
use lyceum_testing::peer::{Answer, Received, ScriptedPeer};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::platform::{Person, Platform};

/// The only course there is.
pub(super) const COURSE: i64 = 7;
/// Where the people of a course are asked for.
pub(super) const ENROLLED: &str = "GET /internal/courses/{id}/enrolments";

/// A running service and its peers.
pub(super) struct Town {
    platform: Platform,
    pub(super) courses: ScriptedPeer,
}

impl Deref for Town {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

impl Town {
    /// Where each of `people` has an account and a place in [`COURSE`].
    pub(super) fn of(people: &[i64]) -> Self {
        Self::with(people, |_| {})
    }

    pub(super) fn with(people: &[i64], configure: impl FnOnce(&mut BroadcastsSettings)) -> Self {
        let courses = ScriptedPeer::start();
        enrols(&courses, people);
        let platform = Platform::with_all(|settings| {
            settings.service.upstreams.course.base_url = courses.url();
            // A peer that is well again is asked at once.
            let breaker = &mut settings.service.upstreams.user.breaker;
            (breaker.consecutive_failures, breaker.minimum_calls) = (255, 1_000);
            // One that is held up on purpose is waited for.
            let user = &mut settings.service.upstreams.user;
            (user.attempt_timeout_ms, user.total_timeout_ms) = (5_000, 10_000);
            settings.service.broadcasts.run = true;
            settings.service.broadcasts.poll_ms = 20;
            configure(&mut settings.service.broadcasts);
        });
        knows(&platform.users, people);
        Self { platform, courses }
    }

    /// Somebody who may tell everybody something.
    pub(super) fn admin(&self) -> Person {
        self.holder_of(5_000, self.tokens.admin(5_000))
    }

    /// How often each person has something in the inbox.
    pub(super) async fn inboxes(&self) -> BTreeMap<i64, i64> {
        inboxes(self.app.database()).await
    }
}

/// How often each person has something in the inbox.
pub(super) async fn inboxes(database: &TestDatabase) -> BTreeMap<i64, i64> {
    let database = database.connect().await;
    let count = "SELECT user_id, count(*) FROM notifications GROUP BY user_id";
    let count = Statement::from_string(database.get_database_backend(), count);
    let rows = database.query_all_raw(count).await.unwrap();
    let row = |row: sea_orm::QueryResult| {
        (
            row.try_get_by_index(0).unwrap(),
            row.try_get_by_index(1).unwrap(),
        )
    };
    rows.into_iter().map(row).collect()
}

/// Each of them has one.
pub(super) fn one_each(people: &[i64]) -> BTreeMap<i64, i64> {
    people.iter().map(|id| (*id, 1)).collect()
}

/// Lets the user service say who there is.
pub(super) fn knows(users: &ScriptedPeer, people: &[i64]) {
    let everybody = people.to_vec();
    users.on("GET /internal/users").always_with(move |asked| {
        let (ids, next_after) = page(&everybody, asked);
        let items: Vec<_> = ids.into_iter().map(contact).collect();
        Answer::json(200, &json!({"items": items, "next_after": next_after}))
    });
    let everybody = people.to_vec();
    users
        .on("POST /internal/users/lookup")
        .always_with(move |asked| {
            let ids = asked.json::<LookupUsers>().ids.into_iter().map(i64::from);
            let known = ids.filter(|id| everybody.contains(id));
            let items: Vec<_> = known.map(contact).collect();
            Answer::json(200, &json!({ "items": items }))
        });
}

/// Lets the course service say who is in [`COURSE`].
pub(super) fn enrols(courses: &ScriptedPeer, people: &[i64]) {
    let people = people.to_vec();
    courses.on(ENROLLED).always_with(move |asked| {
        if asked.path != format!("/internal/courses/{COURSE}/enrolments") {
            return Answer::status(404);
        }
        let (items, next_after) = page(&people, asked);
        let total = people.len();
        let page = json!({"items": items, "next_after": next_after, "total": total});
        Answer::json(200, &page)
    });
}

/// The id after which a page was asked for.
pub(super) fn after(asked: &Received) -> i64 {
    number(asked, "after")
}

fn number(asked: &Received, name: &str) -> i64 {
    let mut pairs = asked
        .query
        .split('&')
        .filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name).unwrap();
    value.parse().unwrap()
}

fn page(people: &[i64], asked: &Received) -> (Vec<i64>, Option<i64>) {
    let after = after(asked);
    let limit = usize::try_from(number(asked, "limit")).unwrap();
    let mut ids: Vec<i64> = people.iter().copied().filter(|id| *id > after).collect();
    ids.sort_unstable();
    let more = ids.len() > limit;
    ids.truncate(limit);
    let next_after = ids.last().copied().filter(|_| more);
    (ids, next_after)
}

fn contact(id: i64) -> Value {
    json!({
        "id": id, "email": format!("user{id}@example.org"),
        "full_name": format!("User {id}"), "role": "student",
    })
}

/// Something to tell `audience`.
pub(super) fn news(audience: &Value) -> Value {
    json!({"audience": audience, "title": "Maintenance", "body": "On Sunday.\nAll day."})
}

pub(super) fn all() -> Value {
    json!({"kind": "all"})
}

pub(super) fn course(id: i64) -> Value {
    json!({"kind": "course", "course_id": id})
}

pub(super) fn users(ids: &[i64]) -> Value {
    json!({"kind": "users", "user_ids": ids})
}

impl Person {
    pub(super) async fn broadcasts(&self, body: &Value) -> Response {
        let request = self.client.post("/broadcasts").bearer(&self.token);
        request.json(body).send().await
    }

    /// Asks for a broadcast; where to ask about it.
    pub(super) async fn tells(&self, audience: &Value) -> String {
        let answer = self.broadcasts(&news(audience)).await.expect(202);
        let broadcast: Broadcast = answer.json();
        let location = answer.header("location").unwrap();
        assert_eq!(location, format!("/broadcasts/{}", broadcast.id));
        location.to_owned()
    }

    pub(super) async fn broadcast(&self, path: &str) -> Broadcast {
        self.get(path).await.expect(200).json()
    }

    /// The broadcast once it stands as `right` wants it.
    pub(super) async fn finds(
        &self,
        path: &str,
        what: &str,
        right: impl Fn(&Broadcast) -> bool,
    ) -> Broadcast {
        eventually(what, async || {
            let broadcast = self.broadcast(path).await;
            assert!(
                right(&broadcast) || !broadcast.status.is_final(),
                "{broadcast:?}"
            );
            Some(broadcast).filter(|broadcast| right(broadcast))
        })
        .await
    }

    pub(super) async fn finds_it_done(&self, path: &str) -> Broadcast {
        let done = |broadcast: &Broadcast| broadcast.status == JobStatus::Succeeded;
        self.finds(path, "done", done).await
    }
}
