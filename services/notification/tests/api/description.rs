//! The description of the API is the one that is checked in, and it describes what is served.

use std::path::Path;

use lyceum_chassis::Service;
use lyceum_notification::App;
use serde_json::Value;

use crate::platform::Platform;

fn description() -> Value {
    serde_json::to_value(App::openapi()).unwrap()
}

#[test]
fn the_description_is_the_one_that_is_checked_in() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi/notification.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let now = App::openapi().to_pretty_json().unwrap();
    let path = path.display();
    assert!(
        kept.trim_end() == now.trim_end(),
        "run `make openapi`: {path} is out of date"
    );
}

#[test]
fn operations_are_named_as_their_handlers_and_tell_their_failures() {
    let description = description();
    assert!(
        description["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1"))
    );
    let paths = description["paths"].as_object().unwrap().values();
    let operations: Vec<&Value> = paths
        .flat_map(|path| path.as_object().unwrap().values())
        .collect();
    assert_eq!(operations.len(), 7);
    for operation in operations {
        let name = operation["operationId"].as_str().unwrap();
        assert!(
            operation["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{name}"
        );
        assert!(
            operation["responses"]["401"].is_object(),
            "{name} tells who may call"
        );
    }
}

#[tokio::test]
async fn every_operation_described_is_served() {
    let platform = Platform::start();
    let client = platform.app.client();
    let description = description();
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let path = path.replace("{id}", "1");
            let method = method.to_uppercase().parse().unwrap();
            let answer = client.request(method, &path).send().await;
            assert_eq!(
                answer.status, 401,
                "{path} is there and wants to know who calls"
            );
        }
    }
    let served: Value = client.get("/openapi.json").send().await.expect(200).json();
    assert_eq!(served, description);
}
