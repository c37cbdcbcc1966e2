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
