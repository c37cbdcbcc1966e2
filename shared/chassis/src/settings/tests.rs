use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use serde::{Deserialize, Serialize};

use super::*;

/// Settings by files.
mod by_file;

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Bakery {
    oven: Oven,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Oven {
    degrees: u16,
    key: Secret,
}

impl ServiceSettings for Bakery {
    fn check(&self, environment: Environment) -> Result<(), SettingsError> {
        if environment == Environment::Production && self.oven.key.expose() == "flour" {
            return Err(SettingsError::refused("oven.key", "is the development key"));
        }
        Ok(())
    }
}

const DEFAULTS: &str = r#"
[http]
port = 8001
[oven]
degrees = 220
key = "flour"
"#;

fn with(variables: &[(&str, &str)]) -> Result<Settings<Bakery>, SettingsError> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    load(
        DEFAULTS,
        Source {
            file: None,
            variables: variables.iter().map(own).collect(),
        },
    )
}

fn refusal(variables: &[(&str, &str)]) -> String {
    with(variables).unwrap_err().to_string()
}

#[test]
fn a_later_source_overrides_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bakery.toml");
    std::fs::write(
        &file,
        "[http]\nport = 1\nworkers = 3\n[oven]\ndegrees = 180\n",
    )
    .unwrap();
    let settings: Settings<Bakery> = load(
        DEFAULTS,
        Source {
            file: Some(file),
            variables: vec![("LYCEUM__HTTP__PORT".to_owned(), "2".to_owned())],
        },
    )
    .unwrap();
    assert_eq!(settings.platform.http.port, 2, "the variable wins");
    assert_eq!(
        settings.platform.http.workers, 3,
        "the file wins over the defaults"
    );
    assert_eq!(settings.service.oven.degrees, 180);
    assert_eq!(
        settings.platform.http.request_timeout_ms, 30_000,
        "the platform's default"
    );
}

#[test]
fn an_unknown_key_names_itself() {
    assert_eq!(
        refusal(&[("LYCEUM__HTTP__PROT", "1")]),
        "setting `http.prot`: unknown setting"
    );
    assert_eq!(
        refusal(&[("LYCEUM__HTPP__PORT", "1")]),
        "setting `htpp`: unknown setting"
    );
    assert_eq!(
        refusal(&[("LYCEUM__OVEN__COLOUR", "red")]),
        "setting `oven.colour`: unknown setting"
    );
    assert_eq!(
        refusal(&[("LYCEUM__HTTP__P", "1")]),
        "setting `http.p`: unknown setting",
        "though its section ends like it"
    );
}

#[test]
fn a_malformed_value_names_its_key() {
    for (variable, key) in [
        ("LYCEUM__HTTP__PORT", "http.port"),
        ("LYCEUM__OVEN__DEGREES", "oven.degrees"),
        ("LYCEUM__ENVIRONMENT", "environment"),
        ("LYCEUM__HTTP__HOST", "http.host"),
    ] {
        let message = refusal(&[(variable, "seventy thousand")]);
        assert!(
            message.starts_with(&format!("setting `{key}`: ")),
            "{message}"
        );
    }
}

#[test]
fn a_value_in_place_of_a_section_is_not_repeated() {
    let url = "postgres://ada:hunter2@db/user";
    for (variable, key) in [
        ("LYCEUM__DATABASE", "database"),
        ("LYCEUM__SERVICE_AUTH", "service_auth"),
        ("LYCEUM__OVEN", "oven"),
    ] {
        let message = refusal(&[(variable, url)]);
        let named = message.starts_with(&format!("setting `{key}`: "));
        assert!(named && !message.contains("hunter2"), "{message}");
    }
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "[database]\nurl = \"postgres://ada:hunter2@db\n").unwrap();
    for file in [folder.path().join("absent.toml"), broken] {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let source = Source {
            file: Some(file),
            variables: Vec::new(),
        };
        let message = load::<Bakery>(DEFAULTS, source).unwrap_err().to_string();
        assert!(message.contains(&name), "{message}");
        assert!(
            !message.contains("hunter2"),
            "the line is not quoted: {message}"
        );
    }
}

#[test]
fn development_secrets_are_refused_in_production() {
    let production = ("LYCEUM__ENVIRONMENT", "production");
    assert!(refusal(&[production]).contains("`service_auth.secrets`"));
    let secrets = (
        "LYCEUM__SERVICE_AUTH__SECRETS",
        "0123456789abcdef0123456789abcdef",
    );
    assert!(refusal(&[production, secrets]).contains("`oven.key`"));
    let key = ("LYCEUM__OVEN__KEY", "rye");
    assert!(with(&[production, secrets, key]).is_ok());
}

#[test]
fn several_secrets_come_in_one_variable() {
    let secrets = format!("{},{}", "n".repeat(32), "o".repeat(32));
    let settings = with(&[("LYCEUM__SERVICE_AUTH__SECRETS", &secrets)]).unwrap();
    assert_eq!(settings.platform.service_auth.secrets.len(), 2);
}

#[test]
fn text_in_a_variable_is_taken_as_it_stands() {
    for text in ["007", "1e3", "TRUE", " padded ", "a,b"] {
        let settings = with(&[("LYCEUM__OVEN__KEY", text)]).unwrap();
        assert_eq!(settings.service.oven.key.expose(), text);
    }
    let settings = with(&[
        ("LYCEUM__OVEN__DEGREES", "180"),
        ("LYCEUM__DATABASE__MIGRATE_ON_START", "false"),
        ("LYCEUM__TELEMETRY__SAMPLE_RATIO", "0.5"),
    ])
    .unwrap();
    assert_eq!(settings.service.oven.degrees, 180);
    assert!(!settings.platform.database.migrate_on_start);
    assert!((settings.platform.telemetry.sample_ratio - 0.5).abs() < f64::EPSILON);
}

#[test]
fn an_environment_that_is_not_utf8_stops_nobody_but_a_setting_of_ours() {
    let bytes = |raw: &[u8]| OsString::from_vec(raw.to_vec());
    let variables = |name: &str| {
        let foreign = (bytes(b"TERM\xff"), bytes(b"\xff"));
        let own = (bytes(name.as_bytes()), bytes(b"\xff1"));
        load::texts([foreign, own].into_iter())
    };
    let load = |variables| {
        let file = None;
        super::load::<Bakery>(DEFAULTS, Source { file, variables })
    };
    assert!(load(variables("LS_COLORS")).is_ok());
    let message = load(variables("LYCEUM__HTTP__PORT")).unwrap_err();
    assert!(message.to_string().contains("http.port"), "{message}");
}

#[test]
fn contradictions_are_refused() {
    for (variable, value, key) in [
        (
            "LYCEUM__HTTP__REQUEST_TIMEOUT_MS",
            "0",
            "http.request_timeout_ms",
        ),
        ("LYCEUM__HTTP__HEAD_TIMEOUT_MS", "0", "http.head_timeout_ms"),
        (
            "LYCEUM__HTTP__BODY_LIMIT_BYTES",
            "0",
            "http.body_limit_bytes",
        ),
        (
            "LYCEUM__LIFECYCLE__DRAIN_DELAY_MS",
            "20000",
            "lifecycle.drain_delay_ms",
        ),
        (
            "LYCEUM__DATABASE__MAX_CONNECTIONS",
            "0",
            "database.max_connections",
        ),
        (
            "LYCEUM__TELEMETRY__SAMPLE_RATIO",
            "2",
            "telemetry.sample_ratio",
        ),
        (
            "LYCEUM__SERVICE_AUTH__SECRETS",
            "short",
            "service_auth.secrets",
        ),
    ] {
        let message = refusal(&[(variable, value)]);
        assert!(
            message.starts_with(&format!("setting `{key}`: ")),
            "{message}"
        );
    }
}

#[test]
fn secrets_are_masked_wherever_settings_are_shown() {
    let settings = with(&[]).unwrap();
    let printed = format!(
        "{settings:?}{}",
        serde_json::to_string(&settings.service).unwrap()
    );
    let platform = serde_json::to_string(&settings.platform).unwrap();
    assert!(!printed.contains("flour") && !platform.contains(DEVELOPMENT_SERVICE_SECRET));
    assert!(platform.contains("***"));
}

#[test]
fn pages_that_may_call_are_named_by_their_origins() {
    let key = "LYCEUM__HTTP__ALLOWED_ORIGINS";
    let settings = with(&[(key, "https://app.test, http://localhost:8003")]).unwrap();
    let listed = settings.platform.http.allowed_origins;
    assert_eq!(listed, ["https://app.test", "http://localhost:8003"]);
    for wrong in ["*", "app.test", "https://app.test/"] {
        let told = refusal(&[(key, wrong)]);
        assert!(told.contains("http.allowed_origins"), "{told}");
    }
}
