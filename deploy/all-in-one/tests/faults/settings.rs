//! Settings that come by files, in a process that has nothing else.

use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::process::Process;

use crate::service::{NAMES, Running, refusal, service};

/// The output of `settings`.
async fn shown(mut process: Process) -> Vec<String> {
    assert!(process.wait(PATIENCE).await.success());
    process.lines()
}

#[tokio::test]
async fn secrets_mounted_as_files_start_a_production_service_and_are_masked() {
    let database = TestDatabase::create();
    let folder = tempfile::tempdir().unwrap();
    let launch = || {
        let files = [
            ("LYCEUM__DATABASE__URL_FILE", database.url().to_owned()),
            (
                "LYCEUM__SERVICE_AUTH__SECRETS_FILE",
                format!("{}\n{}\n", "n".repeat(32), "o".repeat(32)),
            ),
            (
                "LYCEUM__TOKENS__SIGNING_KEY_FILE",
                "bm90LXRoZS1kZXZlbG9wbWVudC1zaWduaW5nLWtleSE=\n".to_owned(),
            ),
            (
                "LYCEUM__ADMIN__PASSWORD_FILE",
                "a swan in the reeds\n".to_owned(),
            ),
        ];
        let production = service("user").setting("environment", "production");
        files
            .iter()
            .fold(production, |launch, (variable, content)| {
                let file = folder.path().join(variable);
                std::fs::write(&file, content).unwrap();
                launch.variable(variable, file.display())
            })
    };
    let lines = shown(launch().arg("settings").start()).await;
    assert!(lines.contains(&r#"url = "***""#.to_owned()), "{lines:?}");
    for secret in ["nnnn", "oooo", "bm90", "swan", database.url()] {
        assert!(!lines.iter().any(|line| line.contains(secret)), "{lines:?}");
    }
    let user = Running::start(launch()).await;
    let admin = user
        .signs_in("admin@lyceum.test", "a swan in the reeds")
        .await;
    assert!(admin.is_some());
    user.ends().await;
}

#[tokio::test]
async fn a_secret_that_is_not_mounted_stops_the_start() {
    let file = "/run/secrets/nobody-mounted-this";
    let launch = service("user").variable("LYCEUM__ADMIN__PASSWORD_FILE", file);
    let line = refusal(launch).await;
    let named = format!(
        "lyceum-user: LYCEUM__ADMIN__PASSWORD_FILE names a file that cannot be used: {file}: No such"
    );
    assert!(line.starts_with(&named), "{line}");
}

#[tokio::test]
async fn no_setting_of_a_service_ends_as_the_variables_do_that_name_files() {
    for name in NAMES {
        let lines = shown(service(name).arg("settings").start()).await;
        let keys: Vec<_> = lines
            .iter()
            .map(|line| line.split(" = ").next().unwrap().trim_matches(['[', ']']))
            .collect();
        assert!(keys.contains(&"migrate_on_start"), "{keys:?}");
        let clash = keys.iter().find(|key| key.ends_with("_file"));
        assert_eq!(clash, None);
    }
}

/// The keys of a peer, as the file of the service called `notification` has them.
async fn keys_of_a_peer() -> Vec<String> {
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in shown(service("notification").arg("settings").start()).await {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
        } else if let (true, Some((key, _))) = (
            section.starts_with("upstreams.user"),
            line.split_once(" = "),
        ) {
            keys.push(format!("{section}.{key}"));
        }
    }
    keys
}

/// The line that refuses a value names the key and repeats no value.
async fn is_refused(settings: &[(&str, &str)], key: &str) {
    let launch = settings
        .iter()
        .fold(service("notification"), |launch, (key, value)| {
            launch.setting(key, value)
        });
    let line = refusal(launch).await;
    let named = line.starts_with("lyceum-notification: ") && line.contains(&format!("`{key}`"));
    assert!(named, "{settings:?}: {line}");
}

#[tokio::test]
async fn a_setting_of_a_peer_that_cannot_be_read_stops_the_start_with_its_name() {
    let keys = keys_of_a_peer().await;
    assert!(keys.len() > 30, "{keys:?}");
    for key in keys {
        is_refused(&[(&key, "nonsense")], &key).await;
    }
    let unknown = "upstreams.user.breaker.opens_ms";
    is_refused(&[(unknown, "5000")], unknown).await;
}

#[tokio::test]
async fn settings_of_a_peer_that_contradict_themselves_stop_the_start_with_the_name_of_one() {
    for (key, value) in [
        ("base_url", "http://user:8001/path"),
        ("connect_timeout_ms", "2001"),
        ("attempt_timeout_ms", "9000"),
        ("total_timeout_ms", "600001"),
        ("attempts", "0"),
        ("deadline_margin_ms", "5000"),
        ("pool_idle_timeout_ms", "0"),
        ("dns_refresh_ms", "99"),
        ("max_response_bytes", "0"),
        ("backoff.base_ms", "0"),
        ("backoff.cap_ms", "24"),
        ("budget.percent", "101"),
        ("budget.floor_per_second", "1001"),
        ("budget.window_ms", "999"),
        ("breaker.consecutive_failures", "0"),
        ("breaker.failure_percent", "101"),
        ("breaker.minimum_calls", "0"),
        ("breaker.slow_call_ms", "86400001"),
        ("breaker.slow_percent", "0"),
        ("breaker.window_ms", "3999"),
        ("breaker.open_ms", "1999"),
        ("breaker.max_open_ms", "4999"),
        ("breaker.probes", "8"),
        ("breaker.max_half_open_ms", "1999"),
        ("breaker.ramp_ms", "86400001"),
        ("breaker.ramp_floor_per_second", "1001"),
        ("bulkhead.max_in_flight", "0"),
        ("bulkhead.max_wait_ms", "60001"),
        ("outlier.failure_percent", "101"),
        ("outlier.margin_points", "0"),
        ("outlier.minimum_calls", "0"),
        ("outlier.window_ms", "999"),
        ("outlier.base_ms", "999"),
        ("outlier.max_ms", "29999"),
        ("hedge.max_extra_percent", "101"),
        ("cache.stale_if_error_ms", "86400001"),
        ("cache.max_bytes", "1023"),
        ("faults.ratio", "1.1"),
        ("faults.latency_ms", "600001"),
        ("faults.status", "200"),
    ] {
        let key = format!("upstreams.user.{key}");
        is_refused(&[(&key, value)], &key).await;
    }
    let of_user = |key: &str| format!("upstreams.user.{key}");
    let (adaptive, least) = (
        of_user("bulkhead.adaptive.enabled"),
        of_user("bulkhead.adaptive.min_limit"),
    );
    is_refused(&[(&adaptive, "true"), (&least, "65")], &least).await;
    let (status, reset) = (of_user("faults.status"), of_user("faults.reset"));
    is_refused(&[(&status, "503"), (&reset, "true")], &reset).await;
}
