//! Jobs worked on by several replicas, and across restarts of one.

use lyceum_contracts::job::JobStatus;
use lyceum_testing::eventually;
use lyceum_user::Stepped;
use sea_orm::ConnectionTrait;

use crate::announcements::{job_of, news, told};
use crate::platform::Platform;

/// Another replica of `platform`'s service, on the same database.
fn replica_of(platform: &Platform, run: bool) -> Platform {
    let url = platform.app.database().url().to_owned();
    Platform::with(|settings| {
        settings.platform.database.url = url.as_str().into();
        settings.service.jobs.run = run;
    })
}

#[tokio::test]
async fn a_claim_whose_lease_has_ended_can_do_nothing_more() {
    let platform = Platform::with(|settings| {
        settings.service.jobs.lease_ms = 1;
        settings.service.announcements.at_once = 1;
    });
    let admin = platform.admin().await;
    platform.student("ada").await;
    let path = job_of(admin.announces(&news()).await);
    let mut slow = platform.jobs.claim().await.unwrap().unwrap();
    for _ in 0..2 {
        let stepped = platform.jobs.step(&mut slow).await.unwrap();
        assert_eq!(stepped, Stepped::Further);
    }
    let replica = replica_of(&platform, false);
    let mut newer = eventually("due", async || replica.jobs.claim().await.unwrap()).await;
    assert_eq!(
        platform.jobs.step(&mut slow).await.unwrap(),
        Stepped::Lost,
        "it is somebody else's"
    );
    while replica.jobs.step(&mut newer).await.unwrap() == Stepped::Further {}
    assert_eq!(admin.job(&path).await.status, JobStatus::Succeeded);
    let told = told(&platform).await;
    assert_eq!(told.into_values().collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test]
async fn a_claim_is_nobody_elses_before_its_lease_ends() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    job_of(admin.announces(&news()).await);
    let mut claim = platform.jobs.claim().await.unwrap().unwrap();
    let replica = replica_of(&platform, false);
    assert!(replica.jobs.claim().await.unwrap().is_none());
    assert_eq!(
        platform.jobs.step(&mut claim).await.unwrap(),
        Stepped::Further
    );
    assert!(replica.jobs.claim().await.unwrap().is_none());
}

#[tokio::test]
async fn two_replicas_at_once_tell_everybody_each_announcement_once() {
    const ANNOUNCEMENTS: usize = 6;
    let platform = Platform::with(|settings| settings.service.announcements.at_once = 1);
    let admin = platform.admin().await;
    for number in 0..9 {
        let email = format!("student{number}@example.org");
        platform.registers(&email).await.expect(201);
    }
    let mut jobs = Vec::new();
    for _ in 0..ANNOUNCEMENTS {
        jobs.push(job_of(admin.announces(&news()).await));
    }
    let replicas = [replica_of(&platform, true), replica_of(&platform, true)];
    for path in &jobs {
        eventually("done", async || {
            let status = admin.job(path).await.status;
            assert!(matches!(
                status,
                JobStatus::Queued | JobStatus::Running | JobStatus::Succeeded
            ));
            (status == JobStatus::Succeeded).then_some(())
        })
        .await;
    }
    drop(replicas);
    let told = told(&platform).await;
    assert_eq!(told.len(), 10);
    assert!(
        told.values().all(|times| *times == ANNOUNCEMENTS),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_job_that_ended_long_ago_is_forgotten_at_the_next_look() {
    let platform = Platform::start();
    let admin = platform.admin().await;
    let old = job_of(admin.announces(&news()).await);
    platform.jobs.run_pending().await.unwrap();
    let waiting = job_of(admin.announces(&news()).await);
    let database = platform.app.database().connect().await;
    let aged = "UPDATE jobs SET updated_at = '2020-01-01T00:00:00.000000Z'";
    database.execute_unprepared(aged).await.unwrap();
    // Which looks as soon as it starts.
    let _replica = replica_of(&platform, false);
    eventually("forgotten", async || {
        (admin.get(&old).await.status == 404).then_some(())
    })
    .await;
    assert_eq!(admin.job(&waiting).await.status, JobStatus::Queued);
}
