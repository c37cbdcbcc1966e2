//! A course service that says who is in which course, and people who listen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use lyceum_chassis::settings::Settings;
use lyceum_contracts::course::{CourseMembers, CourseStatus, LookupMembers};
use lyceum_contracts::notification::CourseNews;
use lyceum_notification::settings::NotificationSettings;
use lyceum_testing::PATIENCE;
use lyceum_testing::http::SseStream;
use lyceum_testing::peer::{Answer, ScriptedPeer};
use lyceum_testing::spawn::TestApp;
use serde_json::{Value, json};

use crate::platform::{Person, Platform, data, event};
use crate::socket::Socket;

/// The course of most tests; 4 is a draft, and there is no 5.
pub(super) const LOGIC: &str = "/sse/courses/3";
pub(super) const LOGIC_SOCKET: &str = "/ws/courses/3";

/// A notification service beside a course service of its own.
pub(super) struct Campus {
    pub(super) platform: Platform,
    pub(super) courses: ScriptedPeer,
    members: Arc<Mutex<BTreeMap<i64, BTreeSet<i64>>>>,
}

impl Campus {
    pub(super) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(configure: impl FnOnce(&mut Settings<NotificationSettings>)) -> Self {
        let courses = ScriptedPeer::start();
        let platform = Platform::with_all(|settings| {
            settings.service.upstreams.course.base_url = courses.url();
            configure(settings);
        });
        let campus = Self {
            platform,
            courses,
            members: Arc::default(),
        };
        campus.answers();
        campus
    }

    /// The course service says who is in a course; from the beginning, and again after a fault.
    pub(super) fn answers(&self) {
        for course in [3, 4] {
            let members = Arc::clone(&self.members);
            let answer = move |asked: &LookupMembers| {
                let members = members.lock().unwrap();
                let inside = |it: &i64| members.get(&course).is_some_and(|all| all.contains(it));
                CourseMembers {
                    status: if course == 4 {
                        CourseStatus::Draft
                    } else {
                        CourseStatus::Published
                    },
                    items: asked
                        .ids
                        .iter()
                        .copied()
                        .filter(|it| inside(&it.get()))
                        .collect(),
                }
            };
            let route = lookup(course);
            let script = self.courses.on(&route);
            script.always_with(move |request| Answer::json(200, &answer(&request.json())));
        }
        self.courses.on(&lookup(5)).always(Answer::status(404));
    }

    /// The course service answers every question with this.
    pub(super) fn fails_with(&self, status: u16) {
        for course in [3, 4] {
            self.courses
                .on(&lookup(course))
                .always(Answer::status(status));
        }
    }

    pub(super) fn replica(
        &self,
        configure: impl FnOnce(&mut Settings<NotificationSettings>),
    ) -> TestApp {
        self.platform.replica_with_all(|settings| {
            settings.service.upstreams.course.base_url = self.courses.url();
            configure(settings);
        })
    }

    /// Somebody who is in course 3.
    pub(super) fn member(&self, id: i64) -> Person {
        self.enters(3, id);
        self.platform.person(id)
    }

    pub(super) fn enters(&self, course: i64, person: i64) {
        let mut members = self.members.lock().unwrap();
        members.entry(course).or_default().insert(person);
    }

    pub(super) fn leaves(&self, course: i64, person: i64) {
        let mut members = self.members.lock().unwrap();
        members.entry(course).or_default().remove(&person);
    }

    /// Course 3 is called by each number from the first to the last, one after the other.
    pub(super) async fn is_renamed(&self, versions: std::ops::RangeInclusive<i64>) {
        let events: Vec<Value> = versions.map(|version| renamed(3, version)).collect();
        for batch in events.chunks(100) {
            self.platform.happens(batch).await;
        }
    }
}

fn lookup(course: i64) -> String {
    format!("POST /internal/courses/{course}/members/lookup")
}

/// A new event: a course has a new title, which is the number of its version.
pub(super) fn renamed(course: i64, version: i64) -> Value {
    event(
        "course.updated",
        &json!({"course_id": course, "course_title": version.to_string(), "version": version}),
    )
}

/// A new event: a place was given up.
pub(super) fn dropped(course: i64, person: i64) -> Value {
    event(
        "enrolment.dropped",
        &json!({"enrolment_id": 5, "user_id": person, "course_id": course}),
    )
}

impl Person {
    pub(super) async fn listens_to_logic(&self, last: Option<&str>) -> (SseStream, Value) {
        self.listens_at(LOGIC, last).await
    }

    pub(super) async fn tunes_in_to_logic(&self, last_seq: Option<i64>) -> (Socket, Value) {
        let mut socket = self.dials_logic().await.expect("the socket is opened");
        let welcome = socket.greets(last_seq).await;
        (socket, welcome)
    }

    /// The status of the refusal, if it is one.
    pub(super) async fn dials_logic(&self) -> Result<Socket, u16> {
        let token = format!("Bearer {}", self.token);
        self.dials_with(LOGIC_SOCKET, &[("authorization", &token)])
            .await
    }
}

/// The next news of a stream; its `id` is its place.
pub(super) async fn next_news(stream: &mut SseStream) -> CourseNews {
    let message = stream.next_event(PATIENCE).await;
    assert_eq!(message.event.as_deref(), Some("news"));
    let news: CourseNews = serde_json::from_value(data(&message)).unwrap();
    assert_eq!(message.id, Some(news.seq.to_string()));
    news
}

/// The places of the next `count` news.
pub(super) async fn next_places(stream: &mut SseStream, count: usize) -> Vec<i64> {
    let mut places = Vec::new();
    for _ in 0..count {
        places.push(next_news(stream).await.seq);
    }
    places
}

impl Socket {
    pub(super) async fn hears_news(&mut self) -> CourseNews {
        let mut told = self.hears().await;
        let kind = told.as_object_mut().and_then(|it| it.remove("type"));
        assert_eq!(kind, Some(json!("news")), "{told}");
        serde_json::from_value(told).unwrap()
    }

    /// The places of the next `count` news.
    pub(super) async fn hears_places_of_news(&mut self, count: usize) -> Vec<i64> {
        let mut places = Vec::new();
        for _ in 0..count {
            places.push(self.hears_news().await.seq);
        }
        places
    }
}
