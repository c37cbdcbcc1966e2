//! The stack as `docker compose up --wait` leaves it.

use lyceum_stack_test::Stack;
use serde_json::Value;

/// Of all limits together: a laptop has other things to do.
const ONE_GIB: i64 = 1 << 30;

/// Run to the end once, each waited for by a service.
const ONE_SHOTS: [&str; 4] = [
    "databases",
    "user-migrate",
    "course-migrate",
    "notification-migrate",
];

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn every_container_is_healthy_and_none_was_restarted() {
    let stack = Stack::running().await;
    let mut told = Vec::new();
    for container in stack.containers(None).await {
        let service = container.service().to_owned();
        let (state, health) = (container.state(), container.health());
        assert_eq!(container.number("/RestartCount"), 0, "{service}");
        if ONE_SHOTS.contains(&service.as_str()) {
            assert_eq!(
                (state, container.number("/State/ExitCode")),
                ("exited", 0),
                "{service}"
            );
        } else {
            assert_eq!(state, "running", "{service}");
            // The images of collector and viewer hold nothing a health check could run; the front
            // asks them over the network.
            let checked = !["collector", "jaeger"].contains(&service.as_str());
            assert_eq!(health, checked.then_some("healthy"), "{service}");
        }
        told.push(format!("{service}: {state} {}", health.unwrap_or_default()));
    }
    told.sort();
    println!("{}", told.join("\n"));
    let status: Value = stack.at("FRONT_PORT").get("/status").send().await.json();
    for part in status["parts"].as_array().expect("parts") {
        let expected = match part["name"].as_str() {
            Some("prometheus" | "grafana") => "off",
            _ => "up",
        };
        assert_eq!(part["state"], expected, "{part}");
    }
    assert_eq!(told.len(), 12, "{told:?}");
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn the_whole_stack_is_bounded_and_hardened() {
    let stack = Stack::running().await;
    let mut memory = 0;
    for container in stack.containers(None).await {
        let service = container.service();
        memory += container.number("/HostConfig/Memory");
        assert!(container.number("/HostConfig/Memory") > 0, "{service}");
        assert!(container.number("/HostConfig/PidsLimit") > 0, "{service}");
        assert_eq!(
            container.0["HostConfig"]["ReadonlyRootfs"], true,
            "{service}"
        );
        assert_eq!(container.0["HostConfig"]["CapDrop"][0], "ALL", "{service}");
        let options = &container.0["HostConfig"]["SecurityOpt"];
        assert_eq!(options[0], "no-new-privileges:true", "{service}");
        let log = &container.0["HostConfig"]["LogConfig"]["Config"];
        assert!(log["max-size"].is_string(), "{service}");
        let bindings = container.0["HostConfig"]["PortBindings"].as_object();
        for binding in bindings.into_iter().flatten() {
            let (port, hosts) = binding;
            assert_eq!(hosts[0]["HostIp"], "127.0.0.1", "{service} {port}");
        }
        if let Ok(status) =
            std::fs::read_to_string(format!("/proc/{}/status", container.number("/State/Pid")))
        {
            let is_root = |line: &str| line.starts_with("Uid:\t0\t");
            assert!(
                container.number("/State/Pid") == 0 || !status.lines().any(is_root),
                "{service} runs as root"
            );
        }
    }
    println!("limits together: {} MiB", memory >> 20);
    assert!(memory <= ONE_GIB, "{memory}");
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn the_live_page_is_served_and_may_ask_the_user_service() {
    let stack = Stack::running().await;
    let page = stack.at("NOTIFICATION_PORT").get("/").send().await;
    let page = page.expect(200).text();
    let asked = format!("http://localhost:{}", stack.port("USER_PORT"));
    assert!(page.contains(&asked), "{page}");
    let origin = format!("http://localhost:{}", stack.port("NOTIFICATION_PORT"));
    let user = stack.at("USER_PORT");
    let health = user.get("/health").header("origin", &origin).send().await;
    let allowed = health.header("access-control-allow-origin");
    assert_eq!(allowed, Some(&*origin));
}
