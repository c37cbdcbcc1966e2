//! Jobs as their owners see them, and how they end.

use lyceum_contracts::job::{Job, JobStatus};
use lyceum_contracts::page::Page;
use lyceum_contracts::role::Role;
use lyceum_testing::eventually;
use lyceum_testing::http::Response;
use lyceum_user::Stepped;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::announcements::{job_of, news, told};
use crate::platform::{PASSWORD, Person, Platform};

impl Person {
    async fn cancels(&self, path: &str) -> Response {
        self.client.delete(path).bearer(&self.token).send().await
    }

    async fn jobs(&self, query: &str) -> Page<Job> {
        let path = format!("/jobs{query}");
        self.get(&path).await.expect(200).json()
    }
}

async fn run(platform: &Platform, sql: &str) {
    let database = platform.app.database().connect().await;
    database.execute_unprepared(sql).await.unwrap();
}

#[tokio::test]
async fn a_job_is_there_for_its_owner_and_admins_alone() {
    let platform = Platform::start();
    let (admin, ada) = (platform.admin().await, platform.student("ada").await);
    let promote = json!({"role": Role::Admin});
    admin.patches(ada.id, &promote).await.expect(200);
    let session = platform.logs_in(&ada.email, PASSWORD).await.expect(200);
    let session: lyceum_contracts::user::Session = session.json();
    let ada = Person {
        token: session.access_token,
        ..ada
    };
    let hers = job_of(ada.announces(&news()).await);
    let another = job_of(admin.announces(&news()).await);
    assert_eq!(admin.jobs("").await.items.len(), 2);
    admin
        .patches(ada.id, &json!({"role": Role::Student}))
        .await
        .expect(200);
    let session = platform.logs_in(&ada.email, PASSWORD).await.expect(200);
    let session: lyceum_contracts::user::Session = session.json();
    let ada = Person {
        token: session.access_token,
        ..ada
    };
    let bob = platform.student("bob").await;

    for path in [hers.as_str(), "/jobs/1", "/jobs/2"] {
        bob.get(path).await.expect(404);
        bob.cancels(path).await.expect(404);
        bob.get(&format!("{path}/faults")).await.expect(404);
    }
    assert!(bob.jobs("").await.items.is_empty());
    ada.get(&another).await.expect(404);
    ada.cancels(&another).await.expect(404);
    let own = ada.jobs("").await.items;
    assert_eq!(own.len(), 1);
    assert_eq!(own[0], ada.job(&hers).await);
    assert_eq!(own[0], admin.job(&hers).await, "an admin sees the same");
    ada.cancels(&hers).await.expect(204);
    admin.cancels(&another).await.expect(204);
    for path in ["/jobs/999", "/jobs/0", "/jobs/x"] {
        admin.get(path).await.expect(404);
        admin.cancels(path).await.expect(404);
    }
}

#[tokio::test]
async fn jobs_are_listed_page_by_page() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    for _ in 0..3 {
        job_of(admin.announces(&news()).await);
    }
    let first = admin.jobs("?limit=2").await;
    assert_eq!(first.items.len(), 2);
    let cursor = first.next_cursor.unwrap();
    let second = admin.jobs(&format!("?limit=2&cursor={cursor}")).await;
    assert_eq!((second.items.len(), second.next_cursor), (1, None));
    assert!(first.items[1].id < second.items[0].id);
}

#[tokio::test]
async fn a_job_says_when_to_ask_again_until_it_has_ended() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let path = job_of(admin.announces(&news()).await);
    let waiting = admin.get(&path).await.expect(200);
    assert_eq!(waiting.header("retry-after"), Some("1"));
    platform.jobs.run_pending().await.unwrap();
    let ended = admin.get(&path).await.expect(200);
    assert_eq!(ended.header("retry-after"), None);
    let job: Job = ended.json();
    assert_eq!(job.status, JobStatus::Succeeded);
    assert!(job.updated_at > job.created_at);
    admin.cancels(&path).await.expect(409).problem();
}

#[tokio::test]
async fn a_job_that_is_cancelled_stops_between_two_steps() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    for number in 0..15 {
        let email = format!("student{number}@example.org");
        platform.registers(&email).await.expect(201);
    }
    let path = job_of(admin.announces(&news()).await);
    let mut claim = platform.jobs.claim().await.unwrap().unwrap();
    for _ in 0..2 {
        let stepped = platform.jobs.step(&mut claim).await.unwrap();
        assert_eq!(stepped, Stepped::Further);
    }
    admin.cancels(&path).await.expect(204);
    let stepped = platform.jobs.step(&mut claim).await.unwrap();
    assert_eq!(stepped, Stepped::Lost, "it had no effect");
    let job = admin.job(&path).await;
    assert_eq!((job.status, job.progress.done), (JobStatus::Cancelled, 10));
    admin.cancels(&path).await.expect(204);
    assert_eq!(platform.jobs.run_pending().await.unwrap(), 0);
    assert_eq!(told(&platform).await.len(), 10, "what is done stays done");
}

#[tokio::test]
async fn a_step_that_fails_is_tried_again_and_given_up_in_the_end() {
    let platform = Platform::with(|settings| settings.service.jobs.attempts = 2);
    let admin = platform.admin().await;
    let path = job_of(admin.announces(&news()).await);
    let mut claim = platform.jobs.claim().await.unwrap().unwrap();
    let stepped = platform.jobs.step(&mut claim).await.unwrap();
    assert_eq!(stepped, Stepped::Further);
    run(&platform, "ALTER TABLE outbox RENAME TO away").await;
    let stepped = platform.jobs.step(&mut claim).await.unwrap();
    assert_eq!(stepped, Stepped::PutOff);
    assert_eq!(admin.job(&path).await.status, JobStatus::Queued);
    // After a pause of up to a second.
    let mut claim = eventually("due again", async || platform.jobs.claim().await.unwrap()).await;
    let stepped = platform.jobs.step(&mut claim).await.unwrap();
    assert_eq!(stepped, Stepped::Ended(JobStatus::Failed));
    run(&platform, "ALTER TABLE away RENAME TO outbox").await;

    let job = admin.job(&path).await;
    assert_eq!(job.status, JobStatus::Failed);
    let error = job.error.unwrap();
    assert!(error.contains("too many times"), "{error}");
    assert!(!error.contains("outbox"), "the cause is the operator's");
    admin.cancels(&path).await.expect(409);
    assert_eq!(platform.jobs.run_pending().await.unwrap(), 0);
}

#[tokio::test]
async fn a_step_that_fails_once_does_not_repeat_what_the_others_did() {
    let platform = Platform::with(|settings| settings.service.announcements.at_once = 1);
    let admin = platform.admin().await;
    platform.student("ada").await;
    let path = job_of(admin.announces(&news()).await);
    let mut claim = platform.jobs.claim().await.unwrap().unwrap();
    for _ in 0..2 {
        let stepped = platform.jobs.step(&mut claim).await.unwrap();
        assert_eq!(stepped, Stepped::Further);
    }
    run(&platform, "ALTER TABLE outbox RENAME TO away").await;
    let stepped = platform.jobs.step(&mut claim).await.unwrap();
    assert_eq!(stepped, Stepped::PutOff);
    run(&platform, "ALTER TABLE away RENAME TO outbox").await;
    eventually("done", async || {
        platform.jobs.run_pending().await.unwrap();
        let job = admin.job(&path).await;
        (job.status == JobStatus::Succeeded).then_some(())
    })
    .await;
    let told = told(&platform).await;
    assert_eq!(told.into_values().collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test]
async fn a_job_that_takes_its_process_down_is_given_up() {
    let platform = Platform::with(|settings| {
        settings.service.jobs.attempts = 2;
        settings.service.jobs.lease_ms = 1;
    });
    let admin = platform.admin().await;
    let path = job_of(admin.announces(&news()).await);
    for _ in 0..2 {
        let claim = eventually("due", async || platform.jobs.claim().await.unwrap()).await;
        // As if the process had died with it.
        drop(claim);
    }
    eventually("given up", async || {
        assert!(platform.jobs.claim().await.unwrap().is_none());
        let job = admin.job(&path).await;
        (job.status == JobStatus::Failed).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_job_nobody_can_read_is_given_up_at_once() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let path = job_of(admin.announces(&news()).await);
    run(&platform, "UPDATE jobs SET input = '{}'").await;
    platform.jobs.run_pending().await.unwrap();
    let job = admin.job(&path).await;
    assert_eq!(job.status, JobStatus::Failed);
    assert!(job.error.unwrap().contains("cannot be read"));
}

#[tokio::test]
async fn a_step_is_a_trace_of_its_own_that_leads_to_the_request() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let trace = "5bd66ef5095369c7b0d1f8f4bd33716a";
    let request = admin.client.post("/users/announcements");
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let request = request.bearer(&admin.token).json(&news());
    job_of(request.send().await);
    let captured = platform.app.captured();
    platform.jobs.run_pending().await.unwrap();
    let spans = captured.all_spans();
    let steps = spans.iter().filter(|span| {
        let mut causes = span.links.iter().map(|link| link.span_context.trace_id());
        span.name == "job step" && causes.any(|cause| cause.to_string() == trace)
    });
    assert_eq!(steps.count(), 3, "begin, one page, end");
}
