//! Whether a peer is asked at all: the breaker decides, unless an operator does.

use lyceum_chassis::settings::Environment;
use lyceum_testing::http::Response;
use lyceum_testing::{TestApp, spawn};
use serde_json::{Value, json};

use crate::bakery::{Bakery, open};

const MILL: &str = "/debug/breakers/course/127.0.0.1:1";

async fn set(bakery: &TestApp, mode: &str) -> Response {
    let mode = json!({ "mode": mode });
    bakery.operations().put(MILL).json(&mode).send().await
}

/// The only line of the list.
async fn seen(bakery: &TestApp) -> Value {
    let list = bakery.operations().get("/debug/breakers").send().await;
    let list: Value = list.expect(200).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    list[0].clone()
}

#[tokio::test]
async fn an_operator_takes_a_peer_out_and_lets_it_back() {
    let bakery = spawn::<Bakery>(|settings| {
        settings.platform.environment = Environment::Production;
    });
    let regulars = || bakery.client().get("/regulars").send();
    regulars().await.expect(502);
    assert_eq!(seen(&bakery).await["mode"], "automatic");
    let asked = seen(&bakery).await["window_calls"].as_u64().unwrap();

    let report: Value = set(&bakery, "forced_open").await.expect(200).json();
    assert_eq!(report["mode"], "forced_open");
    assert_eq!(report["endpoint"], "127.0.0.1:1");
    assert!(regulars().await.expect(503).header("retry-after").is_some());
    assert_eq!(
        seen(&bakery).await["window_calls"],
        asked,
        "nobody asked it"
    );

    bakery.operations().delete(MILL).send().await.expect(204);
    assert_eq!(seen(&bakery).await["mode"], "automatic");
    regulars().await.expect(502);
    bakery.operations().delete(MILL).send().await.expect(204);
}

#[tokio::test]
async fn every_mode_has_a_name_and_leaves_a_line_in_the_log() {
    let bakery = open();
    for mode in ["forced_closed", "shadow", "forced_open", "automatic"] {
        let answer = set(&bakery, mode).await.expect(200);
        assert_eq!(answer.json::<Value>()["mode"], mode);
        let told = bakery
            .captured()
            .lines_of(answer.header("x-trace-id").unwrap());
        let said = told.iter().find(|line| line["event"] == "breaker.mode_set");
        assert_eq!(said.unwrap()["mode"], mode);
    }
}

#[tokio::test]
async fn what_is_not_there_is_answered_with_what_is() {
    let bakery = open();
    for (path, known) in [
        ("/debug/breakers/user/127.0.0.1:1", "course"),
        ("/debug/breakers/course/127.0.0.1:2", "127.0.0.1:1"),
    ] {
        let mode = json!({"mode": "shadow"});
        let put = bakery.operations().put(path).json(&mode).send().await;
        let deleted = bakery.operations().delete(path).send().await;
        for answer in [put, deleted] {
            let problem = answer.expect(404).problem();
            assert!(problem.detail.unwrap().ends_with(known), "{path}");
        }
    }
    bakery.client().put(MILL).send().await.expect(404);
}

#[tokio::test]
async fn a_body_that_names_no_mode_is_refused_with_the_field_and_changes_nothing() {
    let bakery = open();
    for (body, fault) in [
        (json!({}), ("#/mode", "required")),
        (json!({"mode": 1}), ("#/mode", "wrong_type")),
        (json!({"mode": "open"}), ("#/mode", "unknown_mode")),
        (
            json!({"mode": "shadow", "for_ms": 5}),
            ("#/for_ms", "unknown_field"),
        ),
    ] {
        let answer = bakery.operations().put(MILL).json(&body).send().await;
        let problem = answer.expect(422).problem();
        let told = &problem.errors[0];
        assert_eq!((told.pointer.as_str(), told.code.as_str()), fault, "{body}");
    }
    let put = |body: &'static str, media| bakery.operations().put(MILL).body(body, media);
    put("{", "application/json").send().await.expect(400);
    put("shadow", "text/plain").send().await.expect(415);
    assert_eq!(seen(&bakery).await["mode"], "automatic");
}
