//! Accounts, courses, enrolments through the public API; every name is used once.

use lyceum_contracts::course::{Course, Enrolment};
use lyceum_contracts::user::{Overview, Session, User};
use serde_json::json;

use crate::http::{Client, Response};

/// Everybody's password.
pub const PASSWORD: &str = "a heron on one leg";

/// The APIs people use.
#[derive(Debug, Clone)]
pub struct Apis {
    /// Accounts, sessions, overview.
    pub user: Client,
    /// Courses and enrolments.
    pub course: Client,
    /// Inbox and streams.
    pub notification: Client,
    /// Address and password of the admin that user makes at its start.
    pub admin: (&'static str, &'static str),
}

/// Somebody with an account, signed in.
#[derive(Debug, Clone)]
pub struct Person {
    /// Of the account.
    pub id: i64,
    /// The address, unlike any other's.
    pub email: String,
    /// Access token.
    pub token: String,
}

impl Apis {
    /// Registers somebody and signs in.
    pub async fn register(&self, name: &str) -> Person {
        let email = format!(
            "{}-{}@example.org",
            name.to_lowercase(),
            uuid::Uuid::new_v4().simple()
        );
        let account = json!({"email": email, "password": PASSWORD, "full_name": name});
        let user = self.user.post("/users").json(&account).send().await;
        let user: User = user.expect(201).json();
        let token = self.sign_in(&email, PASSWORD).await;
        Person {
            id: user.id.get(),
            email,
            token,
        }
    }

    /// The token of somebody who has an account.
    pub async fn sign_in(&self, email: &str, password: &str) -> String {
        let credentials = json!({"email": email, "password": password});
        let answer = self.user.post("/auth/login").json(&credentials);
        answer
            .send()
            .await
            .expect(200)
            .json::<Session>()
            .access_token
    }

    /// Registers somebody whom the admin makes an instructor.
    pub async fn instructor(&self, name: &str) -> Person {
        let person = self.register(name).await;
        let admin = self.sign_in(self.admin.0, self.admin.1).await;
        let path = format!("/users/{}", person.id);
        let promotion = self.user.patch(&path).bearer(admin).header("if-match", "*");
        let promotion = promotion.json(&json!({"role": "instructor"}));
        promotion.send().await.expect(200);
        let token = self.sign_in(&person.email, PASSWORD).await;
        Person { token, ..person }
    }

    /// A course that people can enrol in.
    pub async fn published_course(&self, instructor: &Person, title: &str) -> i64 {
        let course = self
            .course
            .post("/courses")
            .bearer(&instructor.token)
            .json(&json!({"title": title}));
        let course: Course = course.send().await.expect(201).json();
        let publish = format!("/courses/{}/publish", course.id);
        let publish = self.course.post(&publish).bearer(&instructor.token);
        publish.send().await.expect(200);
        course.id.get()
    }

    /// Asks for an enrolment.
    pub async fn ask_to_enrol(&self, person: &Person, course: i64) -> Response {
        let path = format!("/courses/{course}/enrolments");
        self.course.post(&path).bearer(&person.token).send().await
    }

    /// Enrols somebody.
    pub async fn enrol(&self, person: &Person, course: i64) -> Enrolment {
        self.ask_to_enrol(person, course).await.expect(201).json()
    }

    /// Asks for somebody's overview.
    pub async fn ask_overview(&self, person: &Person) -> Response {
        let path = format!("/users/{}/overview", person.id);
        self.user.get(&path).bearer(&person.token).send().await
    }

    /// Somebody's overview.
    pub async fn overview(&self, person: &Person) -> Overview {
        self.ask_overview(person).await.expect(200).json()
    }

    /// Somebody new and a new course to enrol in.
    pub async fn ada_and_a_course(&self) -> (Person, i64) {
        let ines = self.instructor("Ines").await;
        let course = self.published_course(&ines, "Logic").await;
        (self.register("Ada").await, course)
    }
}

/// The trace an answer belongs to.
pub fn trace_of(answer: &Response) -> String {
    let id = answer.header("x-trace-id");
    id.expect("every answer names its trace").to_owned()
}
