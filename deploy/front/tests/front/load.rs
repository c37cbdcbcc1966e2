//! The load generator: what it asks, how it counts, how it ends.

use std::time::Duration;

use lyceum_testing::PATIENCE;
use lyceum_testing::peer::{Answer, DownPeer, Received, ScriptedPeer};
use lyceum_testing::process::{Launch, Process};
use serde_json::{Value, json};

use crate::front::command;
use crate::services::script;

fn load(services: &str) -> Launch {
    ["FRONT_USER", "FRONT_COURSE", "FRONT_NOTIFICATION"]
        .iter()
        .fold(command("load"), |load, name| load.variable(name, services))
}

async fn total(load: &mut Process) -> Value {
    let total = load.wait_for_event("load.total", PATIENCE).await;
    let status = load.wait(PATIENCE).await;
    assert!(status.success(), "{status}");
    total
}

#[tokio::test]
async fn requests_leave_at_their_rate_and_failures_are_counted_by_kind() {
    let services = ScriptedPeer::start();
    script(&services);
    services
        .on("GET /notifications")
        .always(Answer::status(503));
    services.on("GET /courses").always(Answer::close());
    let mut load = load(&services.url())
        .variable("FRONT_RATE", 300)
        .variable("FRONT_DURATION_S", 1)
        .start();
    let total = total(&mut load).await;
    // The first request is due at once, the last with the end of the second.
    let requests = total["requests"].as_u64().unwrap();
    assert!((200..=302).contains(&requests), "{total}");
    let failures = total["failures"].as_object().unwrap();
    assert_eq!(
        failures.keys().collect::<Vec<_>>(),
        ["no_answer", "status_503"],
        "{total}"
    );
    let failed: u64 = failures.values().filter_map(Value::as_u64).sum();
    // Seven of ten, by the mix; chance has its say.
    assert!(failed > requests / 2 && failed < requests, "{total}");
    let millis = ["p50_ms", "p95_ms", "p99_ms"].map(|name| total[name].as_f64().unwrap());
    assert!(millis[0] > 0.0 && millis.is_sorted(), "{total}");
}

#[tokio::test]
async fn a_load_waits_for_its_services_and_ends_well_when_asked_to() {
    let later = DownPeer::hold();
    let mut load = load(&later.url()).variable("FRONT_RATE", 100).start();
    load.wait_for_event("load.waiting", PATIENCE).await;
    let services = later.come_up();
    script(&services);
    services.wait_for_requests(20, PATIENCE).await;
    load.terminate();
    let total = total(&mut load).await;
    assert_eq!(total["failures"], serde_json::json!({}), "{total}");
    assert!(total["requests"].as_u64().unwrap() >= 10, "{total}");
}

#[tokio::test]
async fn a_login_that_counts_no_more_is_renewed_once_for_all() {
    let services = ScriptedPeer::start();
    script(&services);
    let login = |token: &str| {
        let session = json!({"access_token": token, "token_type": "Bearer",
                             "expires_in": 900, "refresh_token": "r"});
        Answer::json(200, &session)
    };
    // The second takes as long as thirty requests, and they all need it.
    let renewed = login("renewed").after(Duration::from_millis(300));
    let logins = services.on("POST /auth/login");
    logins.then(login("first")).always(renewed);
    for route in [
        "GET /courses",
        "GET /notifications",
        "GET /users/{id}/overview",
    ] {
        services.on(route).always(Answer::status(401));
    }
    let mut load = load(&services.url()).variable("FRONT_RATE", 100).start();
    services.wait_for_requests(60, PATIENCE).await;
    load.terminate();
    total(&mut load).await;
    let count = |wanted: &dyn Fn(&Received) -> bool| {
        services
            .requests()
            .iter()
            .filter(|request| wanted(request))
            .count()
    };
    let logins = count(&|request| request.path == "/auth/login");
    let others = count(&|request| request.bearer().is_some() && request.path != "/users/me");
    assert!(logins * 4 < others, "{logins} logins for {others} requests");
}

#[tokio::test]
async fn a_load_without_services_ends_when_asked_to() {
    let nobody = DownPeer::hold();
    let mut load = load(&nobody.url()).start();
    load.wait_for_event("load.waiting", PATIENCE).await;
    load.terminate();
    assert!(load.wait(PATIENCE).await.success());
}
