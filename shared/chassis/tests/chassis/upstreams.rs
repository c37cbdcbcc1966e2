//! What happens to a call of a peer, in words, and how that changes while the service runs.

use lyceum_chassis::settings::Environment;
use lyceum_testing::http::Response;
use lyceum_testing::{TestApp, spawn};
use serde_json::{Value, json};

use crate::bakery::{Bakery, open};

const MILL: &str = "/debug/upstreams/course";

async fn change(bakery: &TestApp, patch: &Value) -> Response {
    bakery.operations().patch(MILL).json(patch).send().await
}

/// The only upstream, as it is.
async fn mill(bakery: &TestApp) -> Value {
    let list = bakery.operations().get("/debug/upstreams").send().await;
    let list: Value = list.expect(200).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    list[0].clone()
}

#[tokio::test]
async fn the_list_tells_what_a_call_goes_through_and_by_which_settings() {
    let bakery = open();
    let mill = mill(&bakery).await;
    assert_eq!(mill["upstream"], "course");
    assert_eq!(mill["endpoints"], json!(["127.0.0.1:1"]));
    assert_eq!(mill["settings"]["base_url"], "http://127.0.0.1:1");
    assert_eq!(mill["settings"]["breaker"]["consecutive_failures"], 5);
    assert_eq!(mill["fault"], Value::Null);
    let pipeline: Vec<String> = serde_json::from_value(mill["pipeline"].clone()).unwrap();
    let place = |policy: &str| pipeline.iter().position(|line| line.starts_with(policy));
    assert!(place("deadline").unwrap() < place("attempt:").unwrap());
    assert!(place("bulkhead").unwrap() < place("breaker").unwrap());
}

#[tokio::test]
async fn a_change_is_in_force_at_once_and_leaves_the_rest_as_it_was() {
    let bakery = open();
    let before = mill(&bakery).await;
    let reset = json!({"faults": {"reset": true}});
    change(&bakery, &reset).await.expect(200);
    let injected = async || {
        let faults = bakery.operations().get("/debug/faults").send().await;
        faults.json::<Value>()[0]["injected"].as_u64().unwrap()
    };
    bakery.client().get("/regulars").send().await.expect(502);
    assert_eq!(injected().await, 2, "a read is asked twice");

    let answer = change(&bakery, &json!({"attempts": 1, "budget": {"percent": 20}})).await;
    let settings: Value = answer.expect(200).json();
    bakery.client().get("/regulars").send().await.expect(502);
    assert_eq!(injected().await, 3, "and now once");

    let after = mill(&bakery).await;
    assert_eq!(after["settings"], settings);
    assert_eq!(after["fault"]["reset"], true);
    let mut expected = before["settings"].clone();
    expected["attempts"] = json!(1);
    expected["budget"]["percent"] = json!(20);
    expected["faults"]["reset"] = json!(true);
    assert_eq!(settings, expected);

    let back = r#"{"attempts": null, "budget": null, "faults": null}"#;
    let patch = bakery.operations().patch(MILL);
    let answer = patch
        .body(back, "application/merge-patch+json")
        .send()
        .await;
    assert_eq!(answer.expect(200).json::<Value>(), before["settings"]);
}

#[tokio::test]
async fn a_contradiction_names_its_key_and_nothing_of_it_is_taken() {
    let bakery = open();
    let before = mill(&bakery).await;
    for (patch, key) in [
        (
            json!({"attempts": 3, "attempt_timeout_ms": 9000}),
            "attempt_timeout_ms",
        ),
        (json!({"attempts": 3, "base_url": null}), "base_url"),
        (
            json!({"attempts": 3, "breaker": {"window_ms": 3000}}),
            "breaker.window_ms",
        ),
        (
            json!({"attempts": 3, "bulkhead": {"max_in_flight": 0}}),
            "bulkhead.max_in_flight",
        ),
        (
            json!({"attempts": 3, "faults": {"status": 200}}),
            "faults.status",
        ),
    ] {
        let problem = change(&bakery, &patch).await.expect(422).problem();
        let detail = problem.detail.unwrap();
        assert!(
            detail.contains(&format!("`upstreams.course.{key}` must ")),
            "{detail}"
        );
        let pointer = format!("#/{}", key.replace('.', "/"));
        assert_eq!(problem.errors[0].pointer, pointer);
        assert_eq!(mill(&bakery).await, before, "{patch}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_names_every_field() {
    let bakery = open();
    let before = mill(&bakery).await;
    let patch = json!({"atempts": 3, "attempts": "3", "breaker": {"open_ms": -1}});
    let problem = change(&bakery, &patch).await.expect(422).problem();
    let mut told: Vec<_> = problem.errors.iter().map(|fault| &*fault.pointer).collect();
    told.sort_unstable();
    assert_eq!(told, ["#/atempts", "#/attempts", "#/breaker/open_ms"]);
    let patch = |body: &'static str, media| bakery.operations().patch(MILL).body(body, media);
    patch("{", "application/json").send().await.expect(400);
    patch("[]", "application/json").send().await.expect(422);
    patch("{}", "text/plain").send().await.expect(415);
    assert_eq!(mill(&bakery).await, before);

    let patch = json!({"attempts": 3});
    let stranger = bakery.operations().patch("/debug/upstreams/user");
    let problem = stranger.json(&patch).send().await.expect(404).problem();
    assert!(problem.detail.unwrap().contains("course"));
    bakery
        .client()
        .patch(MILL)
        .json(&patch)
        .send()
        .await
        .expect(404);
    bakery
        .operations()
        .put(MILL)
        .json(&patch)
        .send()
        .await
        .expect(405);
}

#[tokio::test]
async fn a_change_leaves_a_line_with_its_keys_and_without_its_values() {
    let bakery = open();
    let line_of = |answer: Response| {
        let trace = answer.header("x-trace-id").unwrap().to_owned();
        let mut told = bakery.captured().lines_of(&trace).into_iter();
        told.find(|line| line["event"] == "upstream.reconfigured")
    };
    let same = change(&bakery, &json!({"attempts": 2})).await.expect(200);
    assert_eq!(line_of(same), None);
    let patch = json!({"base_url": "http://mill.invalid:4711", "breaker": {"open_ms": 4712}});
    let line = line_of(change(&bakery, &patch).await.expect(200)).unwrap();
    assert_eq!(line["upstream"], "course");
    assert_eq!(line["keys"], "base_url breaker.open_ms");
    assert!(!line.to_string().contains("mill.invalid"), "{line}");
    assert_eq!(
        mill(&bakery).await["endpoints"],
        json!(["mill.invalid:4711"])
    );
}

#[tokio::test]
async fn production_is_changed_too_but_not_to_fail_on_purpose() {
    let bakery = spawn::<Bakery>(|settings| {
        settings.platform.environment = Environment::Production;
    });
    let faults = json!({"attempts": 3, "faults": {"status": 503}});
    let problem = change(&bakery, &faults).await.expect(422).problem();
    assert!(
        problem
            .detail
            .unwrap()
            .contains("`upstreams.course.faults.status`")
    );
    let settings: Value = change(&bakery, &json!({"attempts": 1}))
        .await
        .expect(200)
        .json();
    assert_eq!(settings["attempts"], 1);
}

/// The commands of `docs/OPERATIONS.md`, put to a service whose peer is elsewhere.
#[tokio::test]
async fn the_commands_of_the_page_are_answered() {
    let bakery = open();
    let page = include_str!("../../../../docs/OPERATIONS.md");
    let section = page.split("\n## Peers while it runs\n").nth(1).unwrap();
    let block = section.split("```sh\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap().replace("\\\n", " ");
    let commands = block.lines().filter(|line| line.starts_with("curl "));
    let mut methods = Vec::new();
    for command in commands {
        let after = |mark: &str| command.split(mark).nth(1);
        let word = |text: &str| text.split(' ').next().unwrap().to_owned();
        let method = after("-X ").map_or("GET".to_owned(), word);
        let path = after("localhost:9001").map(word).unwrap();
        let path = path.replace("127.0.0.1:8002", "127.0.0.1:1");
        let quoted = |mark| after(mark).and_then(|text| text.split('\'').next());
        let mut request = bakery.operations().request(method.parse().unwrap(), &path);
        if let (Some(kind), Some(body)) = (quoted("-H 'content-type: "), quoted("-d '")) {
            request = request.body(body.to_owned(), kind);
        }
        let answer = request.send().await;
        assert!(answer.status < 300, "{command}: {}", answer.text());
        methods.push(method);
    }
    methods.sort_unstable();
    methods.dedup();
    assert_eq!(methods, ["DELETE", "GET", "PATCH", "PUT"]);
    let mill = mill(&bakery).await;
    assert_eq!(
        mill["settings"]["base_url"], "http://127.0.0.1:1",
        "all is as it was"
    );
}
