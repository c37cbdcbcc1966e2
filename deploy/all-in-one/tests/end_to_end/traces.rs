//! One request, one trace: exact trees, as they left by OTLP.

use std::collections::BTreeSet;

use lyceum_testing::PATIENCE;
use lyceum_testing::otlp::{Kind, Span};
use serde_json::Value;

use crate::platform::{Platform, eventually};

#[tokio::test]
async fn placeholder() {
    let platform = Platform::start().await;
    let ines = platform.instructor("Ines").await;
    let course = platform.published_course(&ines, "Logic").await;
    let ada = platform.register("Ada").await;
    let path = format!("/courses/{course}/enrolments");
    let answer = platform
        .course
        .api
        .post(&path)
        .bearer(&ada.token)
        .send()
        .await
        .expect(201);
    let trace = answer.header("x-trace-id").unwrap().to_owned();
    let _ = platform
        .collector
        .wait_for(
            &trace,
            |spans| {
                spans
                    .iter()
                    .any(|span| span.service == "notification" && span.kind == Kind::Consumer)
            },
            PATIENCE,
        )
        .await;
    eventually("quiet", async || {
        (platform.overview(&ada).await.unread == Some(1)).then_some(())
    })
    .await;
    let overview = platform.ask_overview(&ada).await.expect(200);
    let second = overview.header("x-trace-id").unwrap().to_owned();
    platform
        .collector
        .wait_for(
            &second,
            |spans: &[Span]| spans.iter().filter(|s| s.kind == Kind::Server).count() >= 4,
            PATIENCE,
        )
        .await;
    let _unused: BTreeSet<Value> = BTreeSet::new();
    println!(
        "{}\n\n{}",
        platform.collector.tree(&trace),
        platform.collector.tree(&second)
    );
}
