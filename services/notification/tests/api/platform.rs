//! The notification service, the services that tell it what happened, and the people who listen.

use lyceum_chassis::clock;
use lyceum_chassis::settings::Settings;
use lyceum_contracts::ids::NotificationId;
use lyceum_contracts::notification::{EventReceipt, Notification, UnreadCount};
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;
use lyceum_notification::App;
use lyceum_notification::settings::{LiveSettings, NotificationSettings};
use lyceum_testing::PATIENCE;
use lyceum_testing::http::{Client, Response, SseMessage, SseStream};
use lyceum_testing::identity::TestUsers;
use lyceum_testing::peer::{Answer, ScriptedPeer};
use lyceum_testing::spawn::{TestApp, spawn};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use uuid::Uuid;

/// Where events are delivered.
pub(crate) const EVENTS: &str = "/internal/events";
/// The live stream.
pub(crate) const STREAM: &str = "/sse/notifications";

/// A running service and the issuer of everybody's tokens.
pub(crate) struct Platform {
    pub(crate) app: TestApp,
    pub(crate) tokens: TestUsers,
    pub(crate) users: ScriptedPeer,
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) token: String,
    pub(crate) client: Client,
}

impl Platform {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    /// As [`Self::start`], with other settings of the streams.
    pub(crate) fn with(configure: impl FnOnce(&mut LiveSettings)) -> Self {
        Self::with_all(|settings| configure(&mut settings.service.live))
    }

    /// As [`Self::start`], with any other settings.
    pub(crate) fn with_all(configure: impl FnOnce(&mut Settings<NotificationSettings>)) -> Self {
        let tokens = TestUsers::new();
        let users = tokens.serve();
        let app = serve(&users, configure);
        Self { app, tokens, users }
    }

    /// Another replica of this service, on the same database.
    pub(crate) fn replica(&self, configure: impl FnOnce(&mut LiveSettings)) -> TestApp {
        self.replica_with_all(|settings| configure(&mut settings.service.live))
    }

    /// As [`Self::replica`], with any other settings.
    pub(crate) fn replica_with_all(
        &self,
        configure: impl FnOnce(&mut Settings<NotificationSettings>),
    ) -> TestApp {
        serve(&self.users, |settings| {
            settings.platform.database.url = self.app.database().url().into();
            configure(settings);
        })
    }

    pub(crate) fn person(&self, id: i64) -> Person {
        self.holder_of(id, self.tokens.token(id, Role::Student).sign())
    }

    pub(crate) fn holder_of(&self, id: i64, token: String) -> Person {
        Person {
            id,
            token,
            client: self.app.client().clone(),
        }
    }

    /// From now on the user service says that the session of `person` has ended, and with it every
    /// token of [`Self::person`].
    pub(crate) fn ends_the_session_of(&self, person: &Person) {
        let items = json!([{
            "seq": 3, "user_id": person.id, "session_id": 1,
            "revoked_at": "2026-01-02T03:04:05Z", "expires_at": "2999-01-02T03:04:05Z",
        }]);
        let news = Answer::json(200, &json!({"items": items, "next": 3}));
        self.users.on("GET /internal/revocations").always(news);
    }

    /// A stream that says all it has to say and ends: its token ended a moment ago, within the time
    /// by which clocks may differ.
    pub(crate) async fn listens_briefly(&self, person: &Person) -> Response {
        let ended = clock::now().unix_timestamp() - 2;
        let token = self
            .tokens
            .token(person.id, Role::Student)
            .claim("exp", ended)
            .sign();
        person.client.get(STREAM).bearer(token).send().await
    }

    /// Delivers events as the course service does.
    pub(crate) async fn deliver(&self, events: &[Value]) -> Response {
        let request = self
            .app
            .client()
            .post(EVENTS)
            .bearer(self.app.token_of("course"));
        request.json(&json!({ "events": events })).send().await
    }

    /// Delivers events that are all taken in.
    pub(crate) async fn happens(&self, events: &[Value]) -> EventReceipt {
        self.deliver(events).await.expect(200).json()
    }

    /// One enrolment, told.
    pub(crate) async fn enrols(&self, person: &Person, course_title: &str) {
        let receipt = self.happens(&[enrolment(person.id, course_title)]).await;
        assert_eq!(
            receipt,
            EventReceipt {
                accepted: 1,
                duplicates: 0
            }
        );
    }

    /// Several enrolments of one person, named 1, 2, 3 … and told in that order.
    pub(crate) async fn enrols_in_many(&self, person: &Person, courses: usize) {
        let events: Vec<Value> = (1..=courses)
            .map(|number| enrolment(person.id, &number.to_string()))
            .collect();
        for batch in events.chunks(100) {
            self.happens(batch).await;
        }
    }

    /// Copies of a person's first notification with another body, after all the others, written
    /// past this process.
    pub(crate) async fn another_replica_writes(&self, person: &Person, copies: i64, body: &str) {
        let (id, first) = (person.id, person.inbox().await[0].seq + 1);
        let last = first + copies - 1;
        let insert = format!(
            "INSERT INTO notifications (user_id, seq, kind, title, body, data, created_at) \
             WITH RECURSIVE places(place) AS \
             (SELECT {first} UNION ALL SELECT place + 1 FROM places WHERE place < {last}) \
             SELECT user_id, place, kind, title, '{body}', data, created_at \
             FROM notifications CROSS JOIN places WHERE user_id = {id} AND seq = 1"
        );
        let advance = format!("UPDATE recipients SET head_seq = {last} WHERE user_id = {id}");
        let database = self.app.database().connect().await;
        for statement in [insert, advance] {
            database.execute_unprepared(&statement).await.unwrap();
        }
    }
}

fn serve(
    users: &ScriptedPeer,
    configure: impl FnOnce(&mut Settings<NotificationSettings>),
) -> TestApp {
    spawn::<App>(|settings: &mut Settings<NotificationSettings>| {
        settings.service.upstreams.user.base_url = users.url();
        // What is under test is the wake-up; the sweep would hide that it is missing.
        settings.service.live.sweep = false;
        // Letters are told of in `mail`; nobody here knows an address.
        settings.service.mail.run = false;
        // Nor is anybody a receiver; see `webhooks`.
        settings.service.webhooks.run = false;
        // Nor has anybody something to say to many; see `broadcasts`.
        settings.service.broadcasts.run = false;
        // Who is there is told in `presence`.
        settings.service.presence.run = false;
        configure(settings);
    })
}

impl Person {
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(path).bearer(&self.token).send().await
    }

    pub(crate) async fn post(&self, path: &str) -> Response {
        self.client.post(path).bearer(&self.token).send().await
    }

    pub(crate) async fn inbox(&self) -> Vec<Notification> {
        self.page("").await.items
    }

    pub(crate) async fn page(&self, query: &str) -> Page<Notification> {
        self.get(&format!("/notifications{query}"))
            .await
            .expect(200)
            .json()
    }

    pub(crate) async fn unread(&self) -> u64 {
        self.count().await.unread
    }

    pub(crate) async fn count(&self) -> UnreadCount {
        let answer = self.get("/notifications/unread-count").await.expect(200);
        answer.json()
    }

    pub(crate) async fn reads(&self, id: NotificationId) -> Response {
        self.does("read", id).await
    }

    /// `read`, `unread`, `archive` or `unarchive`.
    pub(crate) async fn does(&self, action: &str, id: NotificationId) -> Response {
        self.post(&format!("/notifications/{id}/{action}")).await
    }

    pub(crate) async fn deletes(&self, id: NotificationId) -> Response {
        let path = format!("/notifications/{id}");
        self.client.delete(&path).bearer(&self.token).send().await
    }

    pub(crate) async fn reads_up_to(&self, seq: impl Into<Value>) -> Response {
        let post = self.client.post("/notifications/read-all");
        let body = json!({ "up_to": seq.into() });
        post.bearer(&self.token).json(&body).send().await
    }

    /// Opens a stream and returns it with the data of `sync`.
    pub(crate) async fn listens(&self, last_event_id: Option<&str>) -> (SseStream, Value) {
        self.listens_at(STREAM, last_event_id).await
    }

    pub(crate) async fn listens_at(
        &self,
        path: &str,
        last_event_id: Option<&str>,
    ) -> (SseStream, Value) {
        let mut stream = self.client.sse(path, &self.token, last_event_id).await;
        let sync = stream.next_event(PATIENCE).await;
        assert_eq!(sync.event.as_deref(), Some("sync"));
        let data = data(&sync);
        (stream, data)
    }
}

/// The data of a message, as JSON.
pub(crate) fn data(message: &SseMessage) -> Value {
    serde_json::from_str(message.data.as_deref().unwrap()).unwrap()
}

/// The next notification of a stream; its `id` is its place in the sequence.
pub(crate) async fn next_notification(stream: &mut SseStream) -> Notification {
    let message = stream.next_event(PATIENCE).await;
    assert_eq!(message.event.as_deref(), Some("notification"));
    let notification: Notification = serde_json::from_value(data(&message)).unwrap();
    assert_eq!(message.id, Some(notification.seq.to_string()));
    notification
}

/// A new event: somebody enrolled in a course.
pub(crate) fn enrolment(user: i64, course_title: &str) -> Value {
    event(
        "enrolment.created",
        &json!({"enrolment_id": 5, "user_id": user, "course_id": 3, "course_title": course_title}),
    )
}

/// A new event: an announcement, or its newer version.
pub(crate) fn announcement(id: i64, user: i64, title: &str) -> Value {
    event(
        "announcement.posted",
        &json!({"announcement_id": id, "user_id": user, "title": title, "text": "All day."}),
    )
}

/// A new event: somebody opened an account.
pub(crate) fn registration(user: i64) -> Value {
    event("user.registered", &json!({ "user_id": user }))
}

pub(crate) fn event(name: &str, data: &Value) -> Value {
    json!({
        "event_id": Uuid::now_v7(),
        "occurred_at": "2026-01-02T03:04:05Z",
        "type": name,
        "data": data,
    })
}
