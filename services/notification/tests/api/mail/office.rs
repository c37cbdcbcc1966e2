//! The service with a mail server, and a user service that knows where everybody lives.

use lyceum_chassis::settings::Settings;
use lyceum_contracts::delivery::{Delivery, DeliveryState};
use lyceum_contracts::page::Page;
use lyceum_contracts::problem::{MEDIA_TYPE, ProblemKind};
use lyceum_contracts::user::LookupUsers;
use lyceum_notification::App;
use lyceum_notification::settings::{MailSettings, NotificationSettings, TransportKind};
use lyceum_testing::eventually;
use lyceum_testing::http::{Client, Response};
use lyceum_testing::identity::TestUsers;
use lyceum_testing::peer::{Answer, ScriptedPeer};
use lyceum_testing::smtp::{Attempt, MailServer, Manners};
use lyceum_testing::spawn::{TestApp, spawn};
use serde_json::{Value, json};

use crate::platform::{EVENTS, event};

/// From this id on there are no accounts.
pub(crate) const NOBODY: i64 = 1_000_000;
/// A link that was followed.
pub(crate) const SPENT: i64 = 99;

/// A running service and those it needs for letters.
pub(crate) struct Office {
    pub(crate) app: TestApp,
    pub(crate) tokens: TestUsers,
    pub(crate) users: ScriptedPeer,
    pub(crate) server: MailServer,
}

/// Everybody's tokens, and a user service that tells where letters go.
pub(crate) fn users() -> (TestUsers, ScriptedPeer) {
    let tokens = TestUsers::new();
    let users = tokens.serve();
    users
        .on("POST /internal/users/lookup")
        .always_with(|asked| {
            let ids = asked.json::<LookupUsers>().ids.into_iter();
            let known = ids.map(i64::from).filter(|id| *id < NOBODY);
            let contact = |id| {
                json!({
                    "id": id, "email": format!("user{id}@example.org"),
                    "full_name": format!("Ü. Ser {id}"), "role": "student",
                })
            };
            Answer::json(
                200,
                &json!({ "items": known.map(contact).collect::<Vec<_>>() }),
            )
        });
    users.on("POST /internal/mailed-links/{id}/token").always_with(|asked| {
        let link = asked.path.split('/').nth(3).unwrap();
        if link == SPENT.to_string() {
            let problem = serde_json::to_vec(&ProblemKind::LinkSpent.problem()).unwrap();
            return Answer::bytes(410, MEDIA_TYPE, problem);
        }
        let letter = json!({
            "to": format!("link{link}@example.org"), "full_name": "Ada", "purpose": "reset_password",
            "token": format!("secret-of-{link}"), "expires_at": "2026-01-02T03:04:05Z",
        });
        Answer::json(200, &letter)
    });
    (tokens, users)
}

impl Office {
    /// With a mail server that takes every letter.
    pub(crate) fn open() -> Self {
        Self::with(|_| Manners::Accept, |_| {})
    }

    pub(crate) fn with(
        manners: impl Fn(&Attempt) -> Manners + Send + Sync + 'static,
        configure: impl FnOnce(&mut MailSettings),
    ) -> Self {
        let (tokens, users) = users();
        let server = MailServer::start(manners);
        let app = spawn::<App>(|settings: &mut Settings<NotificationSettings>| {
            settings.service.upstreams.user.base_url = users.url();
            let mail = &mut settings.service.mail;
            mail.transport = TransportKind::Smtp;
            "127.0.0.1".clone_into(&mut mail.smtp.host);
            mail.smtp.port = server.port();
            "https://lyceum.test".clone_into(&mut mail.page_url);
            "https://api.lyceum.test".clone_into(&mut mail.api_url);
            mail.poll_ms = 50;
            configure(mail);
        });
        Self {
            app,
            tokens,
            users,
            server,
        }
    }

    /// Events that are all taken in.
    pub(crate) async fn happens(&self, events: &[Value]) {
        let request = self.app.client().post(EVENTS);
        let request = request.bearer(self.app.token_of("user"));
        let events = json!({ "events": events });
        request.json(&events).send().await.expect(200);
    }

    pub(crate) fn admin(&self) -> Admin {
        Admin {
            client: self.app.client().clone(),
            token: self.tokens.admin(500),
        }
    }
}

/// Somebody who looks after letters.
pub(crate) struct Admin {
    pub(crate) client: Client,
    pub(crate) token: String,
}

impl Admin {
    pub(crate) async fn get(&self, path: &str) -> Response {
        self.client.get(path).bearer(&self.token).send().await
    }

    pub(crate) async fn post(&self, path: &str) -> Response {
        self.client.post(path).bearer(&self.token).send().await
    }

    /// Every letter, or those in one state, newest first.
    pub(crate) async fn deliveries(&self, state: Option<DeliveryState>) -> Vec<Delivery> {
        let filter = state.map_or_else(String::new, |state| format!("&state={state}"));
        let path = format!("/deliveries?limit=1000{filter}");
        self.get(&path)
            .await
            .expect(200)
            .json::<Page<Delivery>>()
            .items
    }

    /// The one letter there is, once it stands as `right` wants it.
    pub(crate) async fn the_letter(
        &self,
        what: &str,
        right: impl Fn(&Delivery) -> bool,
    ) -> Delivery {
        eventually(what, async || {
            let mut all = self.deliveries(None).await;
            assert!(all.len() <= 1, "one letter: {all:?}");
            all.pop().filter(|one| right(one))
        })
        .await
    }

    pub(crate) async fn ended(&self, state: DeliveryState, error: &str) -> Delivery {
        let right = |one: &Delivery| one.state == state && one.error.as_deref() == Some(error);
        self.the_letter(&format!("{state}: {error}"), right).await
    }
}

/// A new event: somebody asked for a new password.
pub(crate) fn reset(user: i64, link: i64) -> Value {
    let data = json!({"user_id": user, "link_id": link, "purpose": "reset_password"});
    event("mailed_link.requested", &data)
}

/// A new event: everybody is told something, this person now.
pub(crate) fn announcement(user: i64, title: &str, text: &str) -> Value {
    let data = json!({"announcement_id": 1, "user_id": user, "title": title, "text": text});
    event("announcement.posted", &data)
}
