//! The description of the API is the one that is checked in, and it describes what is served.

use std::path::Path;

use lyceum_chassis::Service;
use lyceum_user::App;
use serde_json::Value;

use crate::platform::Platform;

fn description() -> Value {
    serde_json::to_value(App::openapi()).unwrap()
}

#[test]
fn the_description_is_the_one_that_is_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi/user.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let now = App::openapi().to_pretty_json().unwrap();
    assert!(
        kept.trim_end() == now.trim_end(),
        "run `make openapi`: {} is out of date",
        path.display()
    );
}

#[test]
fn every_operation_tells_what_it_does_and_how_it_fails() {
    let description = description();
    assert!(
        description["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
    for item in description["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(
                operation["summary"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{name}"
            );
            let answers = operation["responses"].as_object().unwrap();
            for (status, answer) in answers
                .iter()
                .filter(|(status, _)| !status.starts_with('2'))
            {
                let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{name} {status}");
            }
            assert!(answers.contains_key("default"), "{name}");
            assert_eq!(
                answers.contains_key("422"),
                takes_something(operation),
                "{name}"
            );
        }
    }
}

fn takes_something(operation: &Value) -> bool {
    let parameters = operation["parameters"].as_array();
    let query = parameters.is_some_and(|all| all.iter().any(|one| one["in"] == "query"));
    query || operation["requestBody"].is_object()
}

#[tokio::test]
async fn what_is_served_is_what_is_described() {
    let platform = Platform::start();
    let served: Value = platform
        .client()
        .get("/openapi.json")
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(served, description());
    for (path, item) in served["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{id}", "1");
            let answer = platform.client().request(method, &path).send().await;
            assert!(
                ![404, 405].contains(&answer.status),
                "{path}: {}",
                answer.text()
            );
        }
    }
}
