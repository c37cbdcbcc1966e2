//! The few requests of the demo, each with what it expects in return.

use hyper::header::{AUTHORIZATION, IF_MATCH};
use hyper::{Method, Request};
use lyceum_contracts::course::{Course, CourseStatus, CreateCourse};
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{Credentials, Overview, RegisterUser, Session, User, UserUpdate};
use serde::Serialize;
use serde_json::Value;

use super::{PASSWORD, Person};
use crate::platform::Platform;
use crate::services::Service;
use lyceum_front::http::{Answer, Http, HttpError};

/// Why there is no demo data, or not all of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// An answer other than the expected one.
    #[error("{method} {url} answered {status}: {body}")]
    Unexpected {
        /// Of the request.
        method: Method,
        /// Of the request.
        url: String,
        /// Of the answer.
        status: u16,
        /// Of the answer.
        body: String,
    },
    /// No answer, or one that cannot be read.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// The three APIs.
pub(super) struct Api<'a> {
    http: &'a Http,
    platform: &'a Platform,
}

/// Somebody logged in.
pub(super) struct Caller {
    id: UserId,
    /// As the account has it now.
    pub(super) role: Role,
    token: String,
}

/// One request; built by [`get`], [`post`] and the methods, sent by [`Api::send`].
struct Call<'a> {
    method: Method,
    service: Service,
    path: String,
    token: Option<&'a str>,
    body: Option<Value>,
    expected: &'static [u16],
}

fn get(service: Service, path: impl Into<String>) -> Call<'static> {
    let (method, path) = (Method::GET, path.into());
    Call {
        method,
        service,
        path,
        token: None,
        body: None,
        expected: &[200],
    }
}

fn post(service: Service, path: impl Into<String>, expected: &'static [u16]) -> Call<'static> {
    Call {
        method: Method::POST,
        expected,
        ..get(service, path)
    }
}

impl<'a> Call<'a> {
    fn by(self, caller: &'a Caller) -> Self {
        Self {
            token: Some(&caller.token),
            ..self
        }
    }

    fn body(self, body: &impl Serialize) -> Result<Self, DemoError> {
        let body = Some(serde_json::to_value(body).map_err(HttpError::from)?);
        Ok(Self { body, ..self })
    }
}

impl<'a> Api<'a> {
    pub(super) const fn new(http: &'a Http, platform: &'a Platform) -> Self {
        Self { http, platform }
    }

    /// Fails when there is no such account, or its password is another one.
    pub(super) async fn log_in(&self, person: Person) -> Result<Caller, DemoError> {
        let credentials = Credentials {
            email: person.email.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let login = post(Service::User, "/auth/login", &[200]).body(&credentials)?;
        let token = self.send(login).await?.json::<Session>()?.access_token;
        let me = Call {
            token: Some(&token),
            ..get(Service::User, "/users/me")
        };
        let User { id, role, .. } = self.send(me).await?.json()?;
        Ok(Caller { id, role, token })
    }

    /// Does nothing when there is such an account.
    pub(super) async fn register(&self, person: Person) -> Result<(), DemoError> {
        let body = RegisterUser {
            email: person.email.to_owned(),
            password: PASSWORD.to_owned(),
            full_name: person.full_name.to_owned(),
        };
        self.send(post(Service::User, "/users", &[201, 409]).body(&body)?)
            .await
            .map(drop)
    }

    pub(super) async fn change_role(
        &self,
        admin: &Caller,
        whose: &Caller,
        role: Role,
    ) -> Result<(), DemoError> {
        let update = UserUpdate {
            role: Some(role),
            ..UserUpdate::default()
        };
        let change = get(Service::User, format!("/users/{}", whose.id))
            .by(admin)
            .body(&update)?;
        self.send(Call {
            method: Method::PATCH,
            ..change
        })
        .await
        .map(drop)
    }

    /// The first courses of the catalogue, which holds what is published.
    pub(super) async fn courses(&self, caller: &Caller) -> Result<Vec<Course>, DemoError> {
        let page = self
            .send(get(Service::Course, "/courses").by(caller))
            .await?;
        Ok(page.json::<Page<Course>>()?.items)
    }

    pub(super) async fn create(
        &self,
        caller: &Caller,
        course: &CreateCourse,
    ) -> Result<Course, DemoError> {
        let create = post(Service::Course, "/courses", &[201])
            .by(caller)
            .body(course)?;
        Ok(self.send(create).await?.json()?)
    }

    /// Does nothing when it is published already.
    pub(super) async fn publish(&self, caller: &Caller, course: &Course) -> Result<(), DemoError> {
        if course.status == CourseStatus::Published {
            return Ok(());
        }
        let path = format!("/courses/{}/publish", course.id);
        self.send(post(Service::Course, path, &[200]).by(caller))
            .await
            .map(drop)
    }

    /// Does nothing when the person is enrolled already.
    pub(super) async fn enrol(&self, caller: &Caller, course: CourseId) -> Result<(), DemoError> {
        let path = format!("/courses/{course}/enrolments");
        self.send(post(Service::Course, path, &[200, 201]).by(caller))
            .await
            .map(drop)
    }

    pub(super) async fn read_inbox(&self, caller: &Caller) -> Result<(), DemoError> {
        let list = get(Service::Notification, "/notifications").by(caller);
        self.send(list).await.map(drop)
    }

    pub(super) async fn overview(&self, caller: &Caller) -> Result<Overview, DemoError> {
        let overview = get(Service::User, format!("/users/{}/overview", caller.id)).by(caller);
        Ok(self.send(overview).await?.json()?)
    }

    async fn send(&self, call: Call<'_>) -> Result<Answer, DemoError> {
        let Call {
            method,
            service,
            path,
            token,
            body,
            expected,
        } = call;
        let url = format!("{}{path}", self.platform.api(service));
        let mut request = Request::builder().method(method.clone()).uri(&url);
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if method == Method::PATCH {
            // Whatever the version is: nobody else edits at this moment.
            request = request.header(IF_MATCH, "*");
        }
        let answer = self.http.send(request, body.as_ref()).await?;
        let status = answer.status;
        if expected.contains(&status) {
            return Ok(answer);
        }
        Err(DemoError::Unexpected {
            method,
            url,
            status,
            body: answer.text(),
        })
    }
}
