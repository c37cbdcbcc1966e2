//! The description of a service's API: the one that is checked in, complete, and true.
//!
//! ```ignore
//! openapi::assert_checked_in::<App>();
//! openapi::assert_complete::<App>();
//! openapi::assert_served::<App>(app.client()).await;
//! openapi::assert_each_has_a_row::<App>(&[("GET", "/courses/7")]);
//! ```

use std::path::Path;

use lyceum_chassis::Service;
use serde_json::Value;

use crate::http::Client;

fn description<S: Service>() -> Value {
    serde_json::to_value(S::openapi()).expect("a description is JSON")
}

/// Every operation of a description: method, path and what is said of it.
fn operations(description: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = description["paths"].as_object();
    paths.into_iter().flatten().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

/// `docs/openapi/<service>.json` is what the code says.
///
/// # Panics
/// When it is not: with the command to run.
pub fn assert_checked_in<S: Service>() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi");
    let path = folder.join(format!("{}.json", S::NAME));
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let now = S::openapi()
        .to_pretty_json()
        .expect("a description is JSON");
    assert!(
        kept.trim_end() == now.trim_end(),
        "run `make openapi`: {} is out of date",
        path.display()
    );
}

/// Every operation has a name and a summary, and each of its failures is a problem; what takes a
/// body, a query or an `Idempotency-Key` tells of 422. Whatever is referred to is there.
///
/// # Panics
/// When one does not: with its name.
pub fn assert_complete<S: Service>() {
    let description = description::<S>();
    let version = description["openapi"].as_str().unwrap_or_default();
    assert!(version.starts_with("3.1"), "OpenAPI {version}");
    let text = description.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let (pointer, _) = reference.split_once('"').expect("a reference ends");
        assert!(description.pointer(pointer).is_some(), "no {pointer}");
    }
    for (method, path, operation) in operations(&description) {
        let name = operation["operationId"].as_str();
        let name = name.unwrap_or_else(|| panic!("{method} {path} has no name"));
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{name} has no summary");
        let answers = operation["responses"].as_object().expect("answers");
        for (status, answer) in answers
            .iter()
            .filter(|(status, _)| !status.starts_with('2'))
        {
            let schema = &answer["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{name} {status}");
        }
        assert!(answers.contains_key("default"), "{name}");
        let takes = takes_something(operation);
        assert_eq!(answers.contains_key("422"), takes, "{name}");
    }
}

fn takes_something(operation: &Value) -> bool {
    let mut parameters = operation["parameters"].as_array().into_iter().flatten();
    let can_be_wrong =
        |parameter: &Value| parameter["in"] == "query" || parameter["name"] == "Idempotency-Key";
    parameters.any(can_be_wrong) || operation["requestBody"].is_object()
}

/// What is served at `/openapi.json` is what the code says, and every operation in it is there.
///
/// # Panics
/// When one is not: with its path.
pub async fn assert_served<S: Service>(client: &Client) {
    let served: Value = client.get("/openapi.json").send().await.expect(200).json();
    assert_eq!(served, description::<S>());
    for (method, path, operation) in operations(&served) {
        let path = path.replace("{id}", "1");
        let known = method.to_uppercase().parse().expect("a method");
        let answer = client.request(known, &path).send().await;
        if operation["security"].is_array() {
            assert_eq!(
                answer.status, 401,
                "{method} {path} is there and asks who calls"
            );
        } else {
            assert!(
                ![404, 405].contains(&answer.status),
                "{method} {path} is not there"
            );
        }
    }
}

/// Every operation of the description is one of `rows`, each a method and a path with real ids.
///
/// # Panics
/// When one is not: with those that are missing.
pub fn assert_each_has_a_row<S: Service>(rows: &[(&str, &str)]) {
    let is_id = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = |part: &str, described: &str| match described {
        "{id}" | "{delivery}" => is_id(part),
        _ => part == described || (described.starts_with('{') && !is_id(part)),
    };
    let same = |path: &str, described: &str| {
        let path = path.split('?').next().unwrap_or_default();
        path.split('/').count() == described.split('/').count()
            && path
                .split('/')
                .zip(described.split('/'))
                .all(|(part, described)| fits(part, described))
    };
    let covered = |method: &str, path: &str| {
        let mut rows = rows.iter();
        rows.any(|row| row.0.eq_ignore_ascii_case(method) && same(row.1, path))
    };
    let description = description::<S>();
    let missing: Vec<_> = operations(&description)
        .filter(|(method, path, _)| !covered(method, path))
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    assert!(missing.is_empty(), "no row for {missing:?}");
}
