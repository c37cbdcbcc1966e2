//! Many accounts in one request.

mod changes;
mod contention;
mod crash;
mod creation;
mod keys;
mod limits;
mod partial;

use lyceum_contracts::bulk::{BulkResults, CreatedUsers};
use lyceum_contracts::problem::Problem;
use lyceum_contracts::user::User;
use lyceum_testing::http::{Request, Response};
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};

use crate::platform::{Person, Platform};

const BULK: &str = "/users/bulk";

/// A platform and its admin, who is busy.
struct Office {
    platform: Platform,
    admin: Person,
}

impl Office {
    async fn open() -> Self {
        let platform = Platform::start();
        let admin = platform.admin().await;
        Self { platform, admin }
    }

    /// A request that is still without its body.
    fn request(&self, key: &str) -> Request<'_> {
        let request = self.platform.client().post(BULK).bearer(&self.admin.token);
        request.header("idempotency-key", key)
    }

    async fn sends(&self, key: &str, body: &Value) -> Response {
        self.request(key).json(body).send().await
    }

    /// All or none.
    async fn creates(&self, key: &str, items: &[Value]) -> Response {
        self.sends(key, &json!({ "items": items })).await
    }

    /// Each for itself.
    async fn tries(&self, key: &str, items: &[Value]) -> Response {
        self.sends(key, &json!({"mode": "partial", "items": items}))
            .await
    }

    /// The one number a query answers with.
    async fn count(&self, what: &str) -> i64 {
        let database = self.platform.app.database().connect().await;
        count(&database, what).await
    }

    /// How many accounts there are besides the admin's.
    async fn accounts(&self) -> i64 {
        self.count("users").await - 1
    }
}

async fn count(database: &impl ConnectionTrait, what: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {what}");
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Somebody to be invited.
fn invitee(name: &str) -> Value {
    json!({"email": format!("{name}@example.org"), "full_name": name})
}

/// Many of them.
fn invitees(range: std::ops::Range<usize>) -> Vec<Value> {
    range
        .map(|number| invitee(&format!("person-{number}")))
        .collect()
}

/// Somebody who has chosen a password already.
fn member(name: &str, password: &str) -> Value {
    json!({"email": format!("{name}@example.org"), "full_name": name, "password": password})
}

fn created(answer: &Response) -> Vec<User> {
    answer.json::<CreatedUsers>().items
}

fn statuses(answer: &Response) -> Vec<u16> {
    let results: BulkResults = answer.json();
    results.items.iter().map(|result| result.status).collect()
}

/// Pointer and code of every fault.
fn faults(problem: Problem) -> Vec<(String, String)> {
    let errors = problem.errors.into_iter();
    errors.map(|fault| (fault.pointer, fault.code)).collect()
}

fn named(faults: &[(&str, &str)]) -> Vec<(String, String)> {
    let faults = faults.iter();
    faults
        .map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned()))
        .collect()
}
