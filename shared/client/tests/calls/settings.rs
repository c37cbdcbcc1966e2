//! What a service author may set, and how a mistake is told.

use lyceum_client::testing::{self, Script};
use lyceum_client::{CourseClient, UpstreamSettings};

use crate::peer::{Act, Peer};
use crate::{client, identity};

#[test]
fn a_setting_that_cannot_work_is_refused_by_its_whole_name() {
    let defaults = UpstreamSettings {
        base_url: "http://127.0.0.1:8002".to_owned(),
        ..UpstreamSettings::default()
    };
    let refused = |configure: fn(&mut UpstreamSettings)| {
        let mut settings = defaults.clone();
        configure(&mut settings);
        CourseClient::new(&settings, &identity("user"))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused(|settings| settings.attempt_timeout_ms = 6_000),
        "`upstreams.course.attempt_timeout_ms` must be between 1 and `total_timeout_ms`"
    );
    for (error, key) in [
        (refused(|settings| settings.base_url.clear()), "base_url"),
        (
            refused(|settings| settings.backoff.cap_ms = 0),
            "backoff.cap_ms",
        ),
        (
            refused(|settings| settings.budget.percent = 101),
            "budget.percent",
        ),
        (
            refused(|settings| settings.breaker.probes = 0),
            "breaker.probes",
        ),
        (
            refused(|settings| settings.bulkhead.max_in_flight = 0),
            "bulkhead.max_in_flight",
        ),
    ] {
        assert!(
            error.starts_with(&format!("`upstreams.course.{key}` must ")),
            "{error}"
        );
    }
}

#[test]
fn what_is_set_is_what_is_described() {
    let peer = Peer::new([Act::Close]);
    let courses = client(&peer, |settings| {
        settings.attempts = 3;
        settings.breaker.consecutive_failures = 7;
    });
    let description = courses.upstream().describe().join("\n");
    for words in [
        "endpoint: 127.0.0.1:",
        "deadline: 5000 ms in all",
        "attempts: up to 3,",
        "opens on 7 failures in a row",
    ] {
        assert!(description.contains(words), "{description}");
    }
    assert!(!description.contains("on purpose"), "{description}");

    let courses = client(&peer, |settings| {
        settings.faults.ratio = 0.25;
        settings.faults.latency_ms = 300;
        settings.faults.status = 503;
    });
    let description = courses.upstream().describe().join("\n");
    let fault = "\nfaults: 25 % of attempts on purpose 300 ms late and answered 503";
    assert!(description.ends_with(fault), "{description}");
}

#[test]
fn what_is_off_is_said_to_be_off_and_what_is_on_is_told() {
    let told = |configure: fn(&mut UpstreamSettings)| {
        let mut settings = UpstreamSettings {
            base_url: "http://one,http://two".to_owned(),
            ..UpstreamSettings::default()
        };
        configure(&mut settings);
        let peer = Script::always(testing::Act::status(204));
        let upstream = peer.upstream("course", &settings).unwrap();
        upstream.describe().join("\n")
    };
    let defaults = told(|_| {});
    for words in [
        "cache: off",
        "hedge: off",
        "the quicker of two of one:80, two:80; one that fails 50 % and 30 points more",
        "or 80 % slower than 1000 ms",
        "then lets calls back over 10000 ms",
    ] {
        assert!(defaults.contains(words), "{words}: {defaults}");
    }
    let other = told(|settings| {
        settings.cache.fresh_ms = 500;
        settings.hedge.max_extra_percent = 2;
        settings.outlier.failure_percent = 0;
        settings.bulkhead.adaptive.enabled = true;
        settings.breaker.slow_call_ms = 0;
        settings.breaker.ramp_ms = 0;
    });
    for words in [
        "answered for 500 ms",
        "the slowest 2 %",
        "of one:80, two:80\n",
        "fewer while calls are lost",
    ] {
        assert!(other.contains(words), "{words}: {other}");
    }
    assert!(
        !other.contains("slower than") && !other.contains("lets calls back"),
        "{other}"
    );
}

#[test]
fn a_section_lists_only_what_differs_and_a_misspelt_key_is_refused() {
    let read = |json: &str| serde_json::from_str::<UpstreamSettings>(json);
    let settings = read(r#"{"base_url": "http://peer", "breaker": {"open_ms": 9000}}"#).unwrap();
    assert_eq!(
        (settings.breaker.open_ms, settings.breaker.probes),
        (9_000, 3)
    );
    for json in [r#"{"retries": 3}"#, r#"{"breaker": {"threshold": 3}}"#] {
        let error = read(json).unwrap_err().to_string();
        assert!(error.starts_with("unknown field"), "{error}");
    }
}
