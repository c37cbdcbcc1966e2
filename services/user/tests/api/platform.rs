//! The user service between two scripted peers, and the people who use it.

use lyceum_chassis::settings::Settings;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::notification::{EventBatch, EventReceipt};
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{Session, User};
use lyceum_outbox::{Pass, Relay};
use lyceum_testing::http::{Client, Response};
use lyceum_testing::peer::{Answer, Received, ScriptedPeer};
use lyceum_testing::spawn::{TestApp, spawn_with};
use lyceum_user::settings::{DEVELOPMENT_ADMIN_PASSWORD, UserSettings};
use lyceum_user::{App, Runner};
use serde_json::{Value, json};

/// Where events are told.
pub(crate) const EVENTS: &str = "POST /internal/events";
/// What everybody here signs in with.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// More than any test asks for.
const UNLIMITED: u32 = 1_000_000;
/// The first admin of the default settings.
pub(crate) const ADMIN: &str = "admin@lyceum.test";

/// A running service and its peers.
pub(crate) struct Platform {
    pub(crate) app: TestApp,
    relay: Relay,
    /// Works on jobs when it is told to.
    pub(crate) jobs: Runner,
    pub(crate) course: ScriptedPeer,
    pub(crate) notification: ScriptedPeer,
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) token: String,
    pub(crate) refresh_token: String,
    pub(crate) client: Client,
}

impl Platform {
    /// Events are accepted; whatever else the peers are asked is for the test to script.
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// As [`Self::start`], with other settings.
    pub(crate) fn with(configure: impl FnOnce(&mut Settings<UserSettings>)) -> Self {
        let course = ScriptedPeer::start();
        let notification = ScriptedPeer::start();
        notification.on(EVENTS).always_with(accept_all);
        let changed = |settings: &mut Settings<UserSettings>| {
            settings.service.upstreams.course.base_url = course.url();
            settings.service.upstreams.notification.base_url = notification.url();
            settings.service.outbox.relay = false;
            let limits = &mut settings.service.limits;
            // All people of a test come from one address; tests of limits set their own.
            limits.login_per_address.quota = UNLIMITED;
            limits.login_per_account.quota = UNLIMITED;
            limits.register_per_address.quota = UNLIMITED;
            limits.forgot_per_address.quota = UNLIMITED;
            limits.link_per_address.quota = UNLIMITED;
            settings.service.jobs.run = false;
            configure(settings);
        };
        let handles = |app: &App| (app.relay().clone(), app.jobs().clone());
        let (app, (relay, jobs)) = spawn_with::<App, _>(changed, handles);
        Self {
            app,
            relay,
            jobs,
            course,
            notification,
        }
    }

    pub(crate) fn client(&self) -> &Client {
        self.app.client()
    }

    /// Asks for an account with this address.
    pub(crate) async fn registers(&self, email: &str) -> Response {
        self.registers_with(&registration(email)).await
    }

    pub(crate) async fn registers_with(&self, body: &Value) -> Response {
        self.client().post("/users").json(body).send().await
    }

    /// Asks for a session.
    pub(crate) async fn logs_in(&self, email: &str, password: &str) -> Response {
        let body = json!({"email": email, "password": password});
        self.client().post("/auth/login").json(&body).send().await
    }

    pub(crate) async fn refreshes(&self, refresh_token: &str) -> Response {
        let body = json!({"refresh_token": refresh_token});
        self.client().post("/auth/refresh").json(&body).send().await
    }

    pub(crate) async fn logs_out(&self, refresh_token: &str) -> Response {
        let body = json!({"refresh_token": refresh_token});
        self.client().post("/auth/logout").json(&body).send().await
    }

    /// A student, registered and signed in.
    pub(crate) async fn student(&self, name: &str) -> Person {
        let email = format!("{name}@example.org");
        self.registers(&email).await.expect(201);
        self.signs_in(&email, PASSWORD).await
    }

    /// Somebody an admin made an instructor, signed in since.
    pub(crate) async fn instructor(&self, name: &str) -> Person {
        let person = self.student(name).await;
        self.admin().await.makes(&person, Role::Instructor).await;
        self.signs_in(&person.email, PASSWORD).await
    }

    /// The first admin, signed in.
    pub(crate) async fn admin(&self) -> Person {
        self.signs_in(ADMIN, DEVELOPMENT_ADMIN_PASSWORD).await
    }

    /// Somebody with an account, signed in anew.
    pub(crate) async fn signs_in(&self, email: &str, password: &str) -> Person {
        let session: Session = self.logs_in(email, password).await.expect(200).json();
        let me = self
            .client()
            .get("/users/me")
            .bearer(&session.access_token)
            .send()
            .await;
        let me: User = me.expect(200).json();
        Person {
            id: me.id,
            email: me.email,
            token: session.access_token,
            refresh_token: session.refresh_token,
            client: self.client().clone(),
        }
    }

    /// One pass of the relay over what is due.
    pub(crate) async fn deliver_pending(&self) -> Pass {
        self.relay.deliver_pending().await.unwrap()
    }
}

impl Person {
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(path).bearer(&self.token).send().await
    }

    pub(crate) async fn deletes(&self, path: &str) -> Response {
        self.client.delete(path).bearer(&self.token).send().await
    }

    /// The person's own account.
    pub(crate) async fn account(&self) -> User {
        self.get("/users/me").await.expect(200).json()
    }

    /// Changes somebody's account as it is now.
    pub(crate) async fn patches(&self, user: UserId, patch: &Value) -> Response {
        self.patches_seen(user, "*", patch).await
    }

    /// Changes somebody's account as it was.
    pub(crate) async fn patches_seen(&self, user: UserId, tag: &str, patch: &Value) -> Response {
        let request = self
            .client
            .patch(&format!("/users/{user}"))
            .bearer(&self.token);
        request.header("if-match", tag).json(patch).send().await
    }

    /// Deletes an account as it was.
    pub(crate) async fn deletes_account_seen(&self, user: UserId, tag: &str) -> Response {
        let path = format!("/users/{user}");
        let request = self.client.request("DELETE".parse().unwrap(), &path);
        let request = request.bearer(&self.token).header("if-match", tag);
        request.send().await
    }

    /// Deletes an account as it is now.
    pub(crate) async fn deletes_account(&self, user: UserId) -> Response {
        self.deletes_account_seen(user, "*").await
    }

    /// Shuts somebody's account.
    pub(crate) async fn disables(&self, user: UserId) -> Response {
        self.posts(&format!("/users/{user}/disable")).await
    }

    /// Opens somebody's account again.
    pub(crate) async fn enables(&self, user: UserId) -> Response {
        self.posts(&format!("/users/{user}/enable")).await
    }

    async fn posts(&self, path: &str) -> Response {
        self.client.post(path).bearer(&self.token).send().await
    }

    async fn makes(&self, person: &Person, role: Role) {
        self.patches(person.id, &json!({"role": role}))
            .await
            .expect(200);
    }
}

/// A registration that is in order.
pub(crate) fn registration(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"})
}

fn accept_all(request: &Received) -> Answer {
    let batch: EventBatch = request.json();
    let accepted = u64::try_from(batch.events.len()).unwrap();
    Answer::json(
        200,
        &EventReceipt {
            accepted,
            duplicates: 0,
        },
    )
}
