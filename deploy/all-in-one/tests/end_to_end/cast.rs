//! The people of the tests and what they do, in their own words.

use lyceum_contracts::course::{Course, Enrolment};
use lyceum_contracts::user::{Overview, Session, User};
use lyceum_testing::http::Response;
use serde_json::json;

use crate::platform::Platform;

/// Somebody with an account, signed in.
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) token: String,
}

const PASSWORD: &str = "a heron on one leg";

impl Platform {
    /// Registers and signs in.
    pub(crate) async fn register(&self, name: &str) -> Person {
        let email = format!("{}@example.org", name.to_lowercase());
        let account = json!({"email": email, "password": PASSWORD, "full_name": name});
        let user: User = self
            .user
            .api
            .post("/users")
            .json(&account)
            .send()
            .await
            .expect(201)
            .json();
        Person {
            id: user.id.get(),
            token: self.sign_in(&email, PASSWORD).await,
        }
    }

    /// The token of somebody who has an account.
    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> String {
        let credentials = json!({"email": email, "password": password});
        let answer = self
            .user
            .api
            .post("/auth/login")
            .json(&credentials)
            .send()
            .await;
        answer.expect(200).json::<Session>().access_token
    }

    /// Registers somebody whom the admin makes an instructor.
    pub(crate) async fn instructor(&self, name: &str) -> Person {
        let person = self.register(name).await;
        let admin = self
            .sign_in("admin@lyceum.test", "lyceum-development-admin")
            .await;
        let path = format!("/users/{}", person.id);
        let promotion = self
            .user
            .api
            .patch(&path)
            .bearer(admin)
            .header("if-match", "*");
        promotion
            .json(&json!({"role": "instructor"}))
            .send()
            .await
            .expect(200);
        let email = format!("{}@example.org", name.to_lowercase());
        Person {
            id: person.id,
            token: self.sign_in(&email, PASSWORD).await,
        }
    }

    /// A course that people can enrol in.
    pub(crate) async fn published_course(&self, instructor: &Person, title: &str) -> i64 {
        let api = &self.course.api;
        let course = api
            .post("/courses")
            .bearer(&instructor.token)
            .json(&json!({"title": title}));
        let course: Course = course.send().await.expect(201).json();
        let publish = format!("/courses/{}/publish", course.id);
        api.post(&publish)
            .bearer(&instructor.token)
            .send()
            .await
            .expect(200);
        course.id.get()
    }

    /// Enrols somebody.
    pub(crate) async fn enrol(&self, person: &Person, course: i64) -> Enrolment {
        let path = format!("/courses/{course}/enrolments");
        self.course
            .api
            .post(&path)
            .bearer(&person.token)
            .send()
            .await
            .expect(201)
            .json()
    }

    /// Asks for somebody's overview.
    pub(crate) async fn ask_overview(&self, person: &Person) -> Response {
        let path = format!("/users/{}/overview", person.id);
        self.user.api.get(&path).bearer(&person.token).send().await
    }

    /// Somebody's overview.
    pub(crate) async fn overview(&self, person: &Person) -> Overview {
        self.ask_overview(person).await.expect(200).json()
    }
}
