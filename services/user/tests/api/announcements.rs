//! Telling everybody something.

use std::collections::BTreeMap;

use lyceum_contracts::event::Event;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::job::{AnnouncementResult, Job, JobResult, JobStatus};
use lyceum_contracts::notification::EventBatch;
use lyceum_contracts::role::Role;
use lyceum_testing::http::Response;
use lyceum_user::Stepped;
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

use crate::platform::{Person, Platform};

impl Person {
    /// Asks for an announcement.
    pub(crate) async fn announces(&self, body: &Value) -> Response {
        let request = self.client.post("/users/announcements").bearer(&self.token);
        request.json(body).send().await
    }

    /// A job as it is now.
    pub(crate) async fn job(&self, path: &str) -> Job {
        self.get(path).await.expect(200).json()
    }
}

/// An announcement that is in order.
pub(crate) fn news() -> Value {
    json!({"title": "Library", "text": "Closed on Friday.\nOpen on Monday."})
}

/// Where the job of an accepted request is.
pub(crate) fn job_of(answer: Response) -> String {
    let answer = answer.expect(202);
    let location = answer.header("location").unwrap().to_owned();
    let job: Job = answer.json();
    assert_eq!(location, format!("/jobs/{}", job.id));
    assert_eq!(job.status, JobStatus::Queued);
    location
}

/// How often the notification service was told an announcement for each person.
pub(crate) async fn told(platform: &Platform) -> BTreeMap<UserId, usize> {
    while platform.deliver_pending().await.delivered > 0 {}
    let mut told = BTreeMap::new();
    for request in platform.notification.requests() {
        let batch: EventBatch = request.json();
        for envelope in batch.events {
            if let Event::AnnouncementPosted { user_id, .. } = envelope.event {
                *told.entry(user_id).or_default() += 1;
            }
        }
    }
    told
}

async fn register_all(platform: &Platform, count: usize) {
    for number in 0..count {
        let email = format!("student{number}@example.org");
        platform.registers(&email).await.expect(201);
    }
}

async fn sets_status(platform: &Platform, email: &str, status: &str) {
    let database = platform.app.database().connect().await;
    let sql = format!("UPDATE users SET status = '{status}' WHERE email = '{email}'");
    database.execute_unprepared(&sql).await.unwrap();
}

#[tokio::test]
async fn everybody_who_may_sign_in_is_told_once_ten_at_a_time() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    register_all(&platform, 26).await;
    sets_status(&platform, "student3@example.org", "disabled").await;
    sets_status(&platform, "student4@example.org", "deleted").await;
    sets_status(&platform, "student5@example.org", "invited").await;
    let path = job_of(admin.announces(&news()).await);

    let mut claim = platform.jobs.claim().await.unwrap().unwrap();
    let mut done = Vec::new();
    while platform.jobs.step(&mut claim).await.unwrap() == Stepped::Further {
        let job = admin.job(&path).await;
        assert_eq!(job.status, JobStatus::Running);
        assert_eq!(job.progress.total, Some(24));
        done.push(job.progress.done);
    }
    assert_eq!(done, [0, 10, 20, 24], "a person of the 24, ten at a time");
    let job = admin.job(&path).await;
    assert_eq!(job.status, JobStatus::Succeeded);
    let result = JobResult::Announcement(AnnouncementResult { told: 24 });
    assert_eq!(job.result, Some(result));

    let told = told(&platform).await;
    assert_eq!(told.len(), 24);
    assert!(told.values().all(|times| *times == 1), "{told:?}");
}

#[tokio::test]
async fn an_announcement_says_what_was_written_and_whose_it_is() {
    let platform = Platform::with(|settings| settings.service.announcements.at_once = 1_000);
    let admin = platform.admin().await;
    platform.student("ada").await;
    let path = job_of(admin.announces(&news()).await);
    assert_eq!(platform.jobs.run_pending().await.unwrap(), 2);
    let id = admin.job(&path).await.id;
    let pass = platform.deliver_pending().await;
    assert_eq!(pass.delivered, 4, "two accounts, two people told");
    let batch: EventBatch = platform.notification.requests()[0].json();
    let announcement = batch
        .events
        .into_iter()
        .rev()
        .map(|envelope| envelope.event);
    let Some(Event::AnnouncementPosted {
        announcement_id,
        title,
        text,
        ..
    }) = announcement.into_iter().next()
    else {
        panic!("no announcement");
    };
    assert_eq!(announcement_id, id.get());
    assert_eq!(title, "Library");
    assert_eq!(text, "Closed on Friday.\nOpen on Monday.");
}

#[tokio::test]
async fn an_announcement_for_some_roles_reaches_nobody_else() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    platform.student("ada").await;
    let cyd = platform.instructor("cyd").await;
    let mut body = news();
    body["roles"] = json!([Role::Instructor, Role::Admin]);
    job_of(admin.announces(&body).await);
    platform.jobs.run_pending().await.unwrap();
    let told = told(&platform).await;
    assert_eq!(told.into_keys().collect::<Vec<_>>(), [admin.id, cyd.id]);
}

#[tokio::test]
async fn who_comes_after_the_walk_has_begun_is_not_told() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let path = job_of(admin.announces(&news()).await);
    let mut claim = platform.jobs.claim().await.unwrap().unwrap();
    assert_eq!(
        platform.jobs.step(&mut claim).await.unwrap(),
        Stepped::Further
    );
    register_all(&platform, 3).await;
    while platform.jobs.step(&mut claim).await.unwrap() == Stepped::Further {}
    let result = JobResult::Announcement(AnnouncementResult { told: 1 });
    assert_eq!(admin.job(&path).await.result, Some(result));
    assert_eq!(told(&platform).await.len(), 1);
}

#[tokio::test]
async fn an_announcement_that_cannot_be_is_refused_with_all_its_faults() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let title = "t".repeat(201);
    for (body, faults) in [
        (
            json!({}),
            vec![("#/title", "required"), ("#/text", "required")],
        ),
        (
            json!({"title": " ", "text": "x".repeat(5_001)}),
            vec![("#/title", "empty"), ("#/text", "too_long")],
        ),
        (
            json!({"title": title, "text": "a\u{7}"}),
            vec![("#/title", "too_long"), ("#/text", "control_character")],
        ),
        (
            json!({"title": "a\nb", "text": "x", "roles": []}),
            vec![
                ("#/title", "control_character"),
                ("#/roles", "out_of_range"),
            ],
        ),
        (
            json!({"title": "a", "text": "x", "roles": ["dean"]}),
            vec![("#/roles", "unknown_role")],
        ),
        (
            json!({"title": "a", "text": "x", "roles": ["admin", "admin"]}),
            vec![("#/roles", "repeated")],
        ),
        (
            json!({"title": "a", "text": "x", "user_id": 7}),
            vec![("#/user_id", "unknown_field")],
        ),
    ] {
        let problem = admin.announces(&body).await.expect(422).problem();
        let named: Vec<_> = problem
            .errors
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        assert_eq!(named, faults);
    }
    assert_eq!(platform.jobs.run_pending().await.unwrap(), 0);
}

#[tokio::test]
async fn an_announcement_asked_for_twice_under_one_key_is_one() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let asks = async |body: &Value| {
        let request = admin.client.post("/users/announcements");
        let request = request.bearer(&admin.token).header("idempotency-key", "n1");
        request.json(body).send().await
    };
    let first = job_of(asks(&news()).await);
    let again = asks(&news()).await.expect(202);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), Some(first.as_str()));
    asks(&json!({"title": "Other", "text": "x"}))
        .await
        .expect(422);
    platform.jobs.run_pending().await.unwrap();
    assert_eq!(told(&platform).await.into_values().sum::<usize>(), 1);
}
