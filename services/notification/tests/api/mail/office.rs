//! The service with a mail server, and a user service that knows where everybody lives.

use std::ops::Deref;

use lyceum_contracts::delivery::{Delivery, DeliveryState};
use lyceum_contracts::page::Page;
use lyceum_contracts::problem::{MEDIA_TYPE, ProblemKind};
use lyceum_contracts::user::LookupUsers;
use lyceum_notification::settings::{MailSettings, TransportKind};
use lyceum_testing::eventually;
use lyceum_testing::peer::{Answer, ScriptedPeer};
use lyceum_testing::smtp::{Attempt, MailServer, Manners};
use serde_json::{Value, json};

use crate::platform::{Person, Platform, event};

/// From this id on there are no accounts.
pub(crate) const NOBODY: i64 = 1_000_000;
/// A link that was followed.
pub(crate) const SPENT: i64 = 99;

/// A running service and the mail server its letters go to.
pub(crate) struct Office {
    platform: Platform,
    pub(crate) server: MailServer,
}

impl Deref for Office {
    type Target = Platform;

    fn deref(&self) -> &Platform {
        &self.platform
    }
}

/// Lets the user service tell where letters go.
pub(crate) fn knows_everybody(users: &ScriptedPeer) {
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
        let server = MailServer::start(manners);
        let platform = Platform::with_all(|settings| {
            let mail = &mut settings.service.mail;
            mail.run = true;
            mail.transport = TransportKind::Smtp;
            "127.0.0.1".clone_into(&mut mail.smtp.host);
            mail.smtp.port = server.port();
            "https://lyceum.test".clone_into(&mut mail.page_url);
            "https://api.lyceum.test".clone_into(&mut mail.api_url);
            mail.poll_ms = 50;
            configure(mail);
        });
        knows_everybody(&platform.users);
        Self { platform, server }
    }

    /// Somebody who looks after letters.
    pub(crate) fn admin(&self) -> Person {
        self.holder_of(500, self.tokens.admin(500))
    }
}

/// What an admin sees.
impl Person {
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
