//! A second replica of a service: found, used, and given up again.

use std::collections::BTreeMap;

use lyceum_stack_test::command::{docker, run};
use lyceum_stack_test::{PATIENCE, Stack, eventually};
use lyceum_testing::http::Client;
use lyceum_testing::people::trace_of;

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn two_replicas_of_notification_share_the_callers_and_tell_the_same() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let scale = async |count: &str| {
        let scale = format!("notification={count}");
        let up = [
            "up",
            "--wait",
            "--no-recreate",
            "--scale",
            &scale,
            "notification",
        ];
        stack.compose(&up).await;
    };
    scale("2").await;
    let replicas = stack.containers(Some("notification")).await;
    assert_eq!(replicas.len(), 2);

    let ada = apis.register("Ada").await;
    // Each client has a connection of its own, and each connection goes where it goes.
    let mut asked = Vec::new();
    eventually("both are asked", async || {
        let fresh = Client::new(apis.notification.base_url());
        let inbox = fresh.get("/notifications").bearer(&ada.token).send().await;
        asked.push(trace_of(&inbox.expect(200)));
        let mut answered = BTreeMap::new();
        for replica in &replicas {
            let log = run(docker().args(["logs", replica.id()])).await;
            let ours = asked.iter().filter(|trace| log.contains(*trace)).count();
            answered.insert(replica.text("/Name").to_owned(), ours);
        }
        println!("{answered:?}");
        answered.values().all(|count| *count > 0).then_some(())
    })
    .await;

    // Two streams, on whichever replica: both hear of the one enrolment.
    let ines = apis.instructor("Ines").await;
    let course = apis.published_course(&ines, "Logic").await;
    let mut streams = Vec::new();
    for _ in 0..4 {
        let client = Client::new(apis.notification.base_url());
        let stream = client.sse("/sse/notifications?last_event_id=0", &ada.token, None);
        streams.push(stream.await);
    }
    apis.enrol(&ada, course).await;
    for mut stream in streams {
        loop {
            let message = stream.next_event(PATIENCE).await;
            if message.event.as_deref() == Some("notification") {
                assert_eq!(message.id.as_deref(), Some("1"));
                break;
            }
        }
    }
    scale("1").await;
    assert_eq!(stack.containers(Some("notification")).await.len(), 1);
}
