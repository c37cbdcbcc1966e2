//! Mailed links as the people who ask for them and the sender of the mail go about them.

use lyceum_contracts::event::{Event, LinkPurpose};
use lyceum_contracts::mailed_link::MailedLinkToken;
use lyceum_contracts::notification::EventBatch;
use lyceum_testing::http::Response;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::platform::{Person, Platform};

/// A letter the notification service was asked to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Promise {
    pub(crate) user_id: i64,
    pub(crate) link_id: i64,
    pub(crate) purpose: LinkPurpose,
}

impl Platform {
    /// Every letter promised so far, the latest last.
    pub(crate) async fn promises(&self) -> Vec<Promise> {
        while self.deliver_pending().await.delivered > 0 {}
        let told = self.notification.requests().into_iter();
        let events = told.flat_map(|request| request.json::<EventBatch>().events);
        let promise = |event| match event {
            Event::MailedLinkRequested {
                user_id,
                link_id,
                purpose,
            } => Some(Promise {
                user_id: user_id.get(),
                link_id,
                purpose,
            }),
            _ => None,
        };
        events
            .filter_map(|envelope| promise(envelope.event))
            .collect()
    }

    /// Asks for what a letter needs, as the sender of the mail does.
    pub(crate) async fn asks_for_letter(&self, link_id: i64) -> Response {
        let path = format!("/internal/mailed-links/{link_id}/token");
        let sender = self.app.token_of("notification");
        self.client().post(&path).bearer(sender).send().await
    }

    /// The letter promised last.
    pub(crate) async fn letter(&self) -> MailedLinkToken {
        let promises = self.promises().await;
        let newest = promises.last().unwrap();
        self.asks_for_letter(newest.link_id)
            .await
            .expect(200)
            .json()
    }

    pub(crate) async fn forgets(&self, email: &str) -> Response {
        let body = json!({"email": email});
        self.asks("/auth/forgot-password", &body).await
    }

    pub(crate) async fn resets(&self, token: &str, password: &str) -> Response {
        let body = json!({"token": token, "new_password": password});
        self.asks("/auth/reset-password", &body).await
    }

    pub(crate) async fn confirms(&self, token: &str) -> Response {
        self.asks("/auth/confirm-email", &json!({"token": token}))
            .await
    }

    /// A `POST` by nobody in particular.
    pub(crate) async fn asks(&self, path: &str, body: &Value) -> Response {
        self.client().post(path).json(body).send().await
    }

    /// Makes somebody who has registered one who was invited and has not answered yet.
    pub(crate) async fn becomes_invited(&self, person: &Person) {
        let id = person.id;
        let sql = "UPDATE users SET status = 'invited', password_hash = '!' WHERE id =";
        self.changes(&format!("{sql} {id}")).await;
    }

    /// Runs a statement past the service; how many rows it changed.
    pub(crate) async fn changes(&self, sql: &str) -> u64 {
        let database = self.app.database().connect().await;
        let done = database.execute_unprepared(sql).await.unwrap();
        done.rows_affected()
    }
}

impl Person {
    pub(crate) async fn puts(&self, path: &str, body: &Value) -> Response {
        let request = self.client.put(path).bearer(&self.token);
        request.json(body).send().await
    }

    pub(crate) async fn changes_password(&self, current: &str, new: &str) -> Response {
        let body = json!({"current_password": current, "new_password": new});
        self.puts("/users/me/password", &body).await
    }

    pub(crate) async fn changes_email(&self, email: &str, password: &str) -> Response {
        let body = json!({"email": email, "password": password});
        self.puts("/users/me/email", &body).await
    }
}

/// The link no longer works, whatever is the matter with it.
pub(crate) fn assert_spent(answer: Response) {
    let answer = answer.expect(410);
    assert_eq!(answer.problem().r#type, "/problems/link-spent");
}

/// Pointer and code of the one fault.
pub(crate) fn fault(answer: Response) -> (String, String) {
    let mut errors = answer.expect(422).problem().errors;
    assert_eq!(errors.len(), 1, "{errors:?}");
    let fault = errors.remove(0);
    (fault.pointer, fault.code)
}
