//! Faults on purpose, as operators set them and take them away.

use lyceum_chassis::settings::Environment;
use lyceum_testing::http::Response;
use lyceum_testing::spawn;
use serde_json::{Value, json};

use crate::bakery::{Bakery, open};

const MILL: &str = "/debug/faults/course";

async fn set(bakery: &lyceum_testing::TestApp, fault: &Value) -> Response {
    bakery.operations().put(MILL).json(fault).send().await
}

#[tokio::test]
async fn a_fault_is_set_seen_felt_and_taken_away() {
    let bakery = open();
    let operations = bakery.operations();
    let list = || async {
        operations
            .get("/debug/faults")
            .send()
            .await
            .expect(200)
            .json::<Value>()
    };
    assert_eq!(
        list().await,
        json!([{"upstream": "course", "fault": null, "injected": 0}])
    );

    let report: Value = set(&bakery, &json!({"status": 503, "times": 5, "seed": 7}))
        .await
        .expect(200)
        .json();
    let fault = &report["fault"];
    let left = fault["ends_in_ms"].as_u64().unwrap();
    assert!(
        (500_000..=600_000).contains(&left),
        "ten minutes when nothing is said: {left}"
    );
    let expected = json!({
        "upstream": "course",
        "fault": {
            "ratio": 1.0, "latency_ms": 0, "status": 503, "reset": false,
            "remaining": 5, "ends_in_ms": left, "seed": 7,
        },
        "injected": 0,
    });
    assert_eq!(report, expected);

    // Two attempts, each answered 503 on purpose.
    let answer = bakery.client().get("/regulars").send().await.expect(503);
    assert!(answer.header("retry-after").is_some());
    let seen = list().await;
    assert_eq!(
        (&seen[0]["fault"]["remaining"], &seen[0]["injected"]),
        (&json!(3), &json!(2))
    );

    operations.delete(MILL).send().await.expect(204);
    assert_eq!(list().await[0]["fault"], Value::Null);
    operations.delete(MILL).send().await.expect(204);
    // Nobody listens there: that is what the bakery finds by itself.
    bakery.client().get("/regulars").send().await.expect(502);
    assert_eq!(list().await[0]["injected"], 2);
}

#[tokio::test]
async fn a_second_fault_takes_the_place_of_the_first() {
    let bakery = open();
    set(&bakery, &json!({"status": 503})).await.expect(200);
    let fault = json!({"latency_ms": 250, "ratio": 0.5, "for_ms": 1000, "seed": 4_294_967_295_u32});
    let report: Value = set(&bakery, &fault).await.expect(200).json();
    let now = &report["fault"];
    assert_eq!(
        (&now["latency_ms"], &now["ratio"]),
        (&json!(250), &json!(0.5))
    );
    assert_eq!(
        (&now["status"], &now["remaining"]),
        (&Value::Null, &Value::Null)
    );
    assert!(now["ends_in_ms"].as_u64().unwrap() <= 1000, "{now}");
    assert_eq!(now["seed"], 4_294_967_295_u32);
}

#[tokio::test]
async fn every_body_that_cannot_be_names_its_fields() {
    let bakery = open();
    for (body, faults) in [
        (json!({}), &[("#/status", "required")][..]),
        (
            json!({"latency_ms": 0, "reset": false}),
            &[("#/status", "required")],
        ),
        (
            json!({"ratio": 0.5, "times": 2}),
            &[("#/status", "required")],
        ),
        (
            json!({"reset": true, "ratio": 1.01}),
            &[("#/ratio", "out_of_range")],
        ),
        (
            json!({"reset": true, "ratio": -0.1}),
            &[("#/ratio", "out_of_range")],
        ),
        (
            json!({"reset": true, "ratio": 0}),
            &[("#/ratio", "out_of_range")],
        ),
        (
            json!({"reset": true, "ratio": "1"}),
            &[("#/ratio", "wrong_type")],
        ),
        (
            json!({"latency_ms": 600_001}),
            &[("#/latency_ms", "out_of_range")],
        ),
        (json!({"latency_ms": -1}), &[("#/latency_ms", "wrong_type")]),
        (json!({"status": 200}), &[("#/status", "out_of_range")]),
        (json!({"status": 0}), &[("#/status", "out_of_range")]),
        (json!({"status": 600}), &[("#/status", "out_of_range")]),
        (json!({"status": 70_000}), &[("#/status", "wrong_type")]),
        (
            json!({"status": 503, "reset": true}),
            &[("#/reset", "out_of_range")],
        ),
        (json!({"reset": "yes"}), &[("#/reset", "wrong_type")]),
        (
            json!({"reset": true, "times": 0}),
            &[("#/times", "out_of_range")],
        ),
        (
            json!({"reset": true, "for_ms": 0}),
            &[("#/for_ms", "out_of_range")],
        ),
        (
            json!({"reset": true, "for_ms": 600_001}),
            &[("#/for_ms", "out_of_range")],
        ),
        (
            json!({"reset": true, "seed": 0.5}),
            &[("#/seed", "wrong_type")],
        ),
        (
            json!({"reset": true, "delay": 1}),
            &[("#/delay", "unknown_field")],
        ),
        (
            json!({"status": 1, "reset": true, "ratio": 2, "times": 0, "for_ms": "1 s", "x": 1}),
            &[
                ("#/for_ms", "wrong_type"),
                ("#/status", "out_of_range"),
                ("#/reset", "out_of_range"),
                ("#/ratio", "out_of_range"),
                ("#/times", "out_of_range"),
                ("#/x", "unknown_field"),
            ],
        ),
    ] {
        let problem = set(&bakery, &body).await.expect(422).problem();
        let told: Vec<_> = problem
            .errors
            .iter()
            .map(|fault| (fault.pointer.as_str(), fault.code.as_str()))
            .collect();
        assert_eq!(told, faults, "{body}");
    }
    let put = |body: &'static str, media| bakery.operations().put(MILL).body(body, media);
    put("{", "application/json").send().await.expect(400);
    put("{}", "text/plain").send().await.expect(415);
    let long = format!("{{\"reset\": true, \"seed\": {}1}}", " ".repeat(4096));
    let put_long = bakery.operations().put(MILL).body(long, "application/json");
    put_long.send().await.expect(413);
    let untouched: Value = bakery.operations().get("/debug/faults").send().await.json();
    assert_eq!(untouched[0]["fault"], Value::Null);
}

#[tokio::test]
async fn whom_the_service_does_not_call_is_not_found_and_nobody_outside_may_ask() {
    let bakery = open();
    let fault = json!({"reset": true});
    for path in [
        "/debug/faults/user",
        "/debug/faults/",
        "/debug/faults/course/more",
    ] {
        bakery
            .operations()
            .put(path)
            .json(&fault)
            .send()
            .await
            .expect(404)
            .problem();
        bakery.operations().delete(path).send().await.expect(404);
    }
    bakery
        .operations()
        .post(MILL)
        .json(&fault)
        .send()
        .await
        .expect(405);
    bakery
        .client()
        .put(MILL)
        .json(&fault)
        .send()
        .await
        .expect(404);
    bakery
        .client()
        .get("/debug/faults")
        .send()
        .await
        .expect(404);
}

#[tokio::test]
async fn production_fails_by_itself_alone() {
    let bakery = spawn::<Bakery>(|settings| {
        settings.platform.environment = Environment::Production;
    });
    for body in [json!({"reset": true}), json!({"reset": 7})] {
        let problem = set(&bakery, &body).await.expect(403).problem();
        assert!(problem.detail.unwrap().contains("production"));
    }
    let list: Value = bakery
        .operations()
        .get("/debug/faults")
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(list[0]["fault"], Value::Null);
    bakery.operations().delete(MILL).send().await.expect(204);
}
