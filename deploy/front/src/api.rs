//! The few requests of people on a demo platform, each with what it expects in return.
//!
//! Through the public API alone: what is done here, anybody can do.

use std::time::Duration;

use hyper::header::{AUTHORIZATION, IF_MATCH};
use hyper::http::request::Builder;
use hyper::{Method, Request};
use lyceum_contracts::course::{Course, CourseStatus, CreateCourse};
use lyceum_contracts::ids::{CourseId, UserId};
use lyceum_contracts::page::{MAX_LIMIT, Page};
use lyceum_contracts::role::Role;
use lyceum_contracts::user::{Credentials, Overview, RegisterUser, Session, User, UserUpdate};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::demo::{PASSWORD, Person};
use crate::http::{Answer, Http, HttpError};
use crate::services::{Addresses, Service};

/// Why a request did not get what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
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
    /// The admin's login is none.
    #[error(
        "the admin cannot sign in as {email}: 401; the data was made with another ADMIN_PASSWORD"
    )]
    AdminRefused {
        /// Of the admin.
        email: String,
    },
    /// No answer, or one that cannot be read.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// The three APIs; clones share their connections.
#[derive(Clone, Debug)]
pub struct Api {
    http: Http,
    addresses: Addresses,
}

/// Somebody logged in.
pub struct Caller {
    id: UserId,
    /// As the account has it now.
    pub role: Role,
    token: String,
    renewal: Instant,
}

impl Caller {
    /// Whether it is time to log in again.
    pub fn is_stale(&self, now: Instant) -> bool {
        now >= self.renewal
    }
}

/// One request; built by [`get`], [`post`] and its own methods, sent by [`Api::send`].
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

    fn body(self, body: &impl Serialize) -> Result<Self, CallError> {
        let body = Some(serde_json::to_value(body).map_err(HttpError::from)?);
        Ok(Self { body, ..self })
    }
}

impl Api {
    /// The APIs found at `addresses`.
    pub const fn new(http: Http, addresses: Addresses) -> Self {
        Self { http, addresses }
    }

    /// Fails when there is no such account, or its password is another one.
    pub async fn log_in(&self, credentials: &Credentials) -> Result<Caller, CallError> {
        let login = post(Service::User, "/auth/login", &[200]).body(credentials)?;
        let Session {
            access_token: token,
            expires_in,
            ..
        } = self.send(login).await?.json()?;
        let renewal = Instant::now() + Duration::from_secs(expires_in) * 3 / 4;
        let me = Call {
            token: Some(&token),
            ..get(Service::User, "/users/me")
        };
        let User { id, role, .. } = self.send(me).await?.json()?;
        Ok(Caller {
            id,
            role,
            token,
            renewal,
        })
    }

    /// Does nothing when there is such an account.
    pub async fn register(&self, person: Person) -> Result<(), CallError> {
        let body = RegisterUser {
            email: person.email.to_owned(),
            password: PASSWORD.to_owned(),
            full_name: person.full_name.to_owned(),
        };
        self.send(post(Service::User, "/users", &[201, 409]).body(&body)?)
            .await
            .map(drop)
    }

    /// An admin's right.
    pub async fn change_role(
        &self,
        admin: &Caller,
        whose: &Caller,
        role: Role,
    ) -> Result<(), CallError> {
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

    /// The whole catalogue, page by page.
    pub async fn catalogue(&self, caller: &Caller) -> Result<Vec<Course>, CallError> {
        let (mut courses, mut query) = (Vec::new(), String::new());
        loop {
            let path = format!("/courses?limit={MAX_LIMIT}{query}");
            let page = self.send(get(Service::Course, path).by(caller)).await?;
            let page: Page<Course> = page.json()?;
            courses.extend(page.items);
            match page.next_cursor {
                Some(cursor) => query = format!("&cursor={cursor}"),
                None => return Ok(courses),
            }
        }
    }

    /// The first courses of the catalogue, which holds what is published.
    pub async fn courses(&self, caller: &Caller) -> Result<Vec<Course>, CallError> {
        let page = self
            .send(get(Service::Course, "/courses").by(caller))
            .await?;
        Ok(page.json::<Page<Course>>()?.items)
    }

    /// A draft; an instructor's right.
    pub async fn create(
        &self,
        caller: &Caller,
        course: &CreateCourse,
    ) -> Result<Course, CallError> {
        let create = post(Service::Course, "/courses", &[201])
            .by(caller)
            .body(course)?;
        Ok(self.send(create).await?.json()?)
    }

    /// Does nothing when it is published already.
    pub async fn publish(&self, caller: &Caller, course: &Course) -> Result<(), CallError> {
        if course.status == CourseStatus::Published {
            return Ok(());
        }
        let path = format!("/courses/{}/publish", course.id);
        self.send(post(Service::Course, path, &[200]).by(caller))
            .await
            .map(drop)
    }

    /// Does nothing when the person is enrolled already.
    pub async fn enrol(&self, caller: &Caller, course: CourseId) -> Result<(), CallError> {
        let path = format!("/courses/{course}/enrolments");
        self.send(post(Service::Course, path, &[200, 201]).by(caller))
            .await
            .map(drop)
    }

    /// The person's notifications.
    pub async fn read_inbox(&self, caller: &Caller) -> Result<(), CallError> {
        let list = get(Service::Notification, "/notifications").by(caller);
        self.send(list).await.map(drop)
    }

    /// Everything about the person, from all three services.
    pub async fn overview(&self, caller: &Caller) -> Result<Overview, CallError> {
        let overview = get(Service::User, format!("/users/{}/overview", caller.id)).by(caller);
        Ok(self.send(overview).await?.json()?)
    }

    /// Follows the person's live notifications for a `moment`.
    pub async fn listen(&self, caller: &Caller, moment: Duration) -> Result<(), CallError> {
        let call = get(Service::Notification, "/sse/notifications").by(caller);
        let url = format!("{}{}", self.addresses.of(call.service), call.path);
        let request = authorized(Request::get(&url), call.token);
        let status = self.http.listen(request, moment).await?;
        if call.expected.contains(&status) {
            return Ok(());
        }
        Err(CallError::Unexpected {
            method: call.method,
            url,
            status,
            body: String::new(),
        })
    }

    async fn send(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let Call {
            method,
            service,
            path,
            token,
            body,
            expected,
        } = call;
        let url = format!("{}{path}", self.addresses.of(service));
        let mut request = authorized(Request::builder().method(method.clone()).uri(&url), token);
        if method == Method::PATCH {
            // Whatever the version is: nobody else edits at this moment.
            request = request.header(IF_MATCH, "*");
        }
        let answer = self.http.send(request, body.as_ref()).await?;
        let status = answer.status;
        if expected.contains(&status) {
            return Ok(answer);
        }
        Err(CallError::Unexpected {
            method,
            url,
            status,
            body: answer.text(),
        })
    }
}

fn authorized(request: Builder, token: Option<&str>) -> Builder {
    match token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    }
}
