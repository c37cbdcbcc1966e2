//! Chaos: which faults are set where, that they are renewed, and that they are gone afterwards.

use lyceum_testing::PATIENCE;
use lyceum_testing::peer::{Answer, DownPeer, Gate, Received, ScriptedPeer};
use lyceum_testing::process::Launch;
use serde_json::{Value, json};

use crate::front::command;

/// Operations of a service with these upstreams.
fn service(upstreams: &[&str]) -> ScriptedPeer {
    let service = ScriptedPeer::start();
    let reports = upstreams
        .iter()
        .map(|name| json!({"upstream": name, "fault": null, "injected": 0}));
    let reports: Vec<_> = reports.collect();
    service
        .on("GET /debug/faults")
        .always(Answer::json(200, &reports));
    service
        .on("PUT /debug/faults/{upstream}")
        .always(Answer::json(200, &json!({})));
    service
        .on("DELETE /debug/faults/{upstream}")
        .always(Answer::status(204));
    service
}

fn chaos(services: [&str; 3]) -> Launch {
    let names = ["USER", "COURSE", "NOTIFICATION"];
    names
        .iter()
        .zip(services)
        .fold(command("chaos"), |chaos, (name, url)| {
            chaos.variable(&format!("FRONT_{name}_OPERATIONS"), url)
        })
}

fn calls(service: &ScriptedPeer, method: &str) -> Vec<Received> {
    let mut calls = service.requests();
    calls.retain(|request| request.method == method);
    calls
}

fn paths(calls: &[Received]) -> Vec<&str> {
    calls.iter().map(|request| request.path.as_str()).collect()
}

#[tokio::test]
async fn every_upstream_a_service_names_has_a_fault_until_the_end() {
    let user = service(&["course", "notification"]);
    let course = service(&["user", "notification"]);
    let away = DownPeer::hold();
    let mut chaos = chaos([&user.url(), &course.url(), &away.url()]).start();
    let of_course = format!("{}/debug/faults/notification", course.url());
    let last_set = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["event"] == "chaos.set" && line["url"] == of_course.as_str()).then_some(())
    };
    chaos
        .wait_for_line("the last fault", last_set, PATIENCE)
        .await;
    let failed = chaos.wait_for_event("chaos.failed", PATIENCE).await;
    assert_eq!(failed["url"], away.url());

    let set = calls(&user, "PUT");
    assert_eq!(
        paths(&set),
        ["/debug/faults/course", "/debug/faults/notification"]
    );
    let fault = json!({"ratio": 0.3, "latency_ms": 300, "status": 503, "for_ms": 15000});
    assert_eq!(set[0].json::<Value>(), fault);

    chaos.terminate();
    assert!(chaos.wait(PATIENCE).await.success());
    for (service, upstreams) in [
        (&user, ["course", "notification"]),
        (&course, ["notification", "user"]),
    ] {
        let mut ended = calls(service, "DELETE");
        ended.sort_by(|one, other| one.path.cmp(&other.path));
        let expected = upstreams.map(|name| format!("/debug/faults/{name}"));
        assert_eq!(paths(&ended), expected);
    }
}

#[tokio::test]
async fn a_fault_that_is_being_set_when_the_end_comes_is_taken_away_after_that() {
    let (user, gate) = (service(&["course", "notification"]), Gate::closed());
    user.on("PUT /debug/faults/{upstream}")
        .then(Answer::json(200, &json!({})).held_by(&gate));
    let nobody = DownPeer::hold().url();
    let mut chaos = chaos([&user.url(), &nobody, &nobody]).start();
    user.wait_for_requests(2, PATIENCE).await;
    chaos.terminate();
    chaos.wait_for_event("lifecycle.signal", PATIENCE).await;
    assert!(calls(&user, "DELETE").is_empty());
    gate.open();
    assert!(chaos.wait(PATIENCE).await.success());
    // No further fault was set, and the answer was waited for.
    assert_eq!(paths(&calls(&user, "PUT")), ["/debug/faults/course"]);
    assert_eq!(paths(&calls(&user, "DELETE")), ["/debug/faults/course"]);
    let events: Vec<_> = chaos
        .log()
        .iter()
        .map(|line| line["event"].clone())
        .collect();
    assert_eq!(events, ["lifecycle.signal", "chaos.set", "chaos.ended"]);
}

#[tokio::test]
async fn faults_are_renewed_before_they_end_by_themselves() {
    let user = service(&["course"]);
    let chaos = chaos([&user.url(); 3].map(String::as_str))
        .variable("FRONT_LASTS_S", 1)
        .start();
    // Three services in one here: each round asks and sets three times.
    user.wait_for_requests(18, PATIENCE).await;
    let set = calls(&user, "PUT");
    let apart = set[set.len() - 1].at - set[0].at;
    assert!(apart.as_millis() >= 300, "{apart:?}");
    drop(chaos);
}

#[tokio::test]
async fn a_service_that_refuses_is_told_of_once() {
    let production = ScriptedPeer::start();
    production
        .on("GET /debug/faults")
        .always(Answer::json(200, &json!([{"upstream": "user"}])));
    let problem = json!({"type": "/problems/forbidden", "title": "Forbidden", "status": 403,
                         "detail": "not in production"});
    production
        .on("PUT /debug/faults/{upstream}")
        .always(Answer::json(403, &problem));
    production
        .on("DELETE /debug/faults/{upstream}")
        .always(Answer::status(204));
    let url = production.url();
    let mut chaos = chaos([&url, &url, &url])
        .variable("FRONT_LASTS_S", 1)
        .start();
    production.wait_for_requests(18, PATIENCE).await;
    chaos.terminate();
    assert!(chaos.wait(PATIENCE).await.success());
    let mut failures = chaos.log();
    failures.retain(|line| line["event"] == "chaos.failed");
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0]["reason"], "answers 403 not in production");
}

#[tokio::test]
async fn a_real_service_takes_every_kind_of_fault_and_is_healed() {
    let service = lyceum_testing::spawn::<lyceum_notification::App>(|_| ());
    let faults = async || {
        let reports = service.operations().get("/debug/faults").send().await;
        reports.expect(200).json::<Value>()[0]["fault"].clone()
    };
    let url = service.operations_url();
    for (option, value, status, reset) in [
        ("FRONT_STATUS", "503", json!(503), false),
        ("FRONT_STATUS", "0", Value::Null, false),
        ("FRONT_RESET", "true", Value::Null, true),
    ] {
        let mut chaos = chaos([url, url, url]).variable(option, value).start();
        chaos.wait_for_event("chaos.set", PATIENCE).await;
        let fault = faults().await;
        assert_eq!(fault["ratio"], 0.3);
        assert_eq!(fault["latency_ms"], 300);
        assert_eq!(
            (&fault["status"], &fault["reset"]),
            (&status, &json!(reset))
        );
        chaos.terminate();
        assert!(chaos.wait(PATIENCE).await.success());
        assert_eq!(faults().await, Value::Null);
    }
}
