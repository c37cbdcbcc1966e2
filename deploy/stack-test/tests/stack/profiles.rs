//! What `docker compose --profile …` adds: metrics, load, chaos.

use lyceum_stack_test::stack::SERVICES;
use lyceum_stack_test::{Stack, eventually};
use serde_json::{Value, json};

/// Overviews asked for while everything may fail.
const ASKED: usize = 20;

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn prometheus_scrapes_every_part_and_knows_its_alerts() {
    let stack = Stack::running().await;
    stack
        .compose(&["--profile", "metrics", "up", "--detach", "prometheus"])
        .await;
    let prometheus = stack.at("PROMETHEUS_PORT");
    let ask = async |path: &str| -> Option<Value> {
        let answer = prometheus.get(path).try_send().await.ok()?;
        (answer.status == 200).then(|| answer.json())
    };
    let up = eventually("all scraped", async || {
        let targets = ask("/api/v1/targets").await?;
        let active = targets["data"]["activeTargets"].as_array()?.clone();
        let up = active
            .iter()
            .filter(|target| target["health"] == "up")
            .count();
        (up >= 4 && up == active.len()).then_some(active)
    })
    .await;
    for target in &up {
        println!("{} {}", target["scrapeUrl"], target["labels"]);
    }
    for service in SERVICES {
        assert!(
            up.iter()
                .any(|target| target["labels"]["service"] == service)
        );
    }
    let rules = ask("/api/v1/rules").await.expect("answered before");
    let groups = rules["data"]["groups"].as_array().expect("groups");
    let rules = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().into_iter().flatten());
    let (mut count, mut faulty) = (0, Vec::new());
    for rule in rules {
        count += 1;
        if rule["health"] == "err" {
            faulty.push(rule["name"].clone());
        }
    }
    println!("{count} rules");
    assert!(count > 10 && faulty.is_empty(), "{count} {faulty:?}");
    stack
        .compose(&[
            "--profile",
            "metrics",
            "rm",
            "--stop",
            "--force",
            "prometheus",
        ])
        .await;
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn chaos_is_felt_while_it_runs_and_gone_with_it() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let ada = apis.register("Ada").await;
    let faults = async || {
        let mut set = Vec::new();
        for service in SERVICES {
            let operations = stack.operations(service);
            let report = operations.get("/debug/faults").send().await.expect(200);
            for upstream in report.json::<Vec<Value>>() {
                set.push(!upstream["fault"].is_null());
            }
        }
        set
    };
    let injected = async || {
        let operations = stack.operations("user");
        let report = operations.get("/debug/faults").send().await.expect(200);
        let report: Vec<Value> = report.json();
        let counts = report
            .iter()
            .filter_map(|upstream| upstream["injected"].as_u64());
        counts.sum::<u64>()
    };
    assert!(faults().await.iter().all(|set| !set), "before");
    stack
        .compose(&["--profile", "chaos", "up", "--detach", "chaos"])
        .await;
    eventually("all set", async || {
        faults().await.iter().all(|set| *set).then_some(())
    })
    .await;
    let (before, mut degraded) = (injected().await, 0);
    for _ in 0..ASKED {
        degraded += usize::from(!apis.overview(&ada).await.degraded.is_empty());
    }
    // Each overview is three calls, and three attempts of ten fail.
    let felt = injected().await - before;
    println!(
        "{felt} attempts failed, {degraded} of {ASKED} overviews were degraded, all were answered"
    );
    assert!(felt > 0);
    stack
        .compose(&["--profile", "chaos", "stop", "chaos"])
        .await;
    let ended = stack.containers(Some("chaos")).await;
    assert_eq!(ended[0].number("/State/ExitCode"), 0);
    assert!(faults().await.iter().all(|set| !set), "after");
    stack
        .compose(&["--profile", "chaos", "rm", "--force", "chaos"])
        .await;
    eventually("whole", async || {
        let overview = apis.overview(&ada).await;
        overview.degraded.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn a_steady_load_is_answered_and_tells_how() {
    let stack = Stack::running().await;
    stack
        .compose(&["--profile", "load", "up", "--detach", "load"])
        .await;
    let window = eventually("a window told", async || {
        let log = stack.log("load").await;
        log.into_iter().find(|line| line["event"] == "load.window")
    })
    .await;
    stack.compose(&["--profile", "load", "stop", "load"]).await;
    let ended = stack.containers(Some("load")).await;
    let code = ended[0].number("/State/ExitCode");
    stack
        .compose(&["--profile", "load", "rm", "--force", "load"])
        .await;
    println!("{window}");
    assert_eq!(code, 0);
    assert!(window["requests"].as_u64() > Some(100), "{window}");
    assert_eq!(window["failures"], json!({}), "{window}");
}
