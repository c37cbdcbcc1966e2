//! What operators see, and nobody else.

use serde_json::Value;

use crate::bakery::open;

#[tokio::test]
async fn the_operations_listener_tells_and_the_api_does_not() {
    let bakery = open();
    for path in [
        "/health/live",
        "/health/ready",
        "/metrics",
        "/debug/tasks",
        "/debug/breakers",
        "/debug/faults",
        "/debug/upstreams",
        "/debug/settings",
    ] {
        bakery.operations().get(path).send().await.expect(200);
        bakery.client().get(path).send().await.expect(404);
    }
    let health = bakery.client().get("/health").send().await.expect(200);
    assert_eq!(health.text(), r#"{"status":"ok"}"#);
}

#[tokio::test]
async fn background_tasks_are_listed_by_name() {
    let bakery = open();
    let tasks: Value = bakery.operations().get("/debug/tasks").send().await.json();
    let tasks = tasks.as_array().unwrap();
    for name in ["kept connections", "oven"] {
        let task = tasks.iter().find(|task| task["name"] == name).unwrap();
        assert_eq!(
            (&task["state"], &task["restarts"]),
            (&"running".into(), &0.into())
        );
    }
}

#[tokio::test]
async fn secrets_are_masked_in_the_settings_shown() {
    let bakery = open();
    let shown = bakery
        .operations()
        .get("/debug/settings")
        .send()
        .await
        .text();
    assert!(
        shown.contains("***") && !shown.contains("lyceum-development"),
        "{shown}"
    );
    assert!(
        !shown.contains("sqlite:") && !shown.contains("postgres:"),
        "{shown}"
    );
}

#[tokio::test]
async fn requests_are_measured_and_probes_leave_no_span() {
    let bakery = open();
    bakery.client().get("/loaves").send().await.expect(200);
    let metrics = bakery
        .operations()
        .get("/metrics")
        .send()
        .await
        .expect(200)
        .text();
    assert!(
        metrics.contains("http_server_request_duration_seconds"),
        "{metrics}"
    );
    let probe = bakery.client().get("/health").send().await;
    let trace = probe.header("x-trace-id").map(str::to_owned);
    assert!(trace.is_none_or(|trace| bakery.captured().spans_of(&trace).is_empty()));
}
