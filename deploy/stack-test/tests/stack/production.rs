//! deploy/production.yaml over the same file: secrets from files, and nothing of a checkout's.

use lyceum_stack_test::Stack;
use lyceum_stack_test::command::{docker, finished, run};
use lyceum_stack_test::stack::SERVICES;
use serde_json::json;
use tokio::process::Command;

/// Beside the first stack and the second checkout.
const SHIFT: u16 = 400;

const ADMIN: &str = "head@example.org";

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn production_takes_every_secret_from_a_file() {
    let first = Stack::running().await;
    let secrets = first.checkout().join("target/stack-test/secrets");
    run(Command::new(first.checkout().join("deploy/make-secrets")).arg(&secrets)).await;
    let project = format!("{}-production", first.project());
    let variables = [
        ("SECRETS", secrets.display().to_string()),
        ("ADMIN_EMAIL", ADMIN.to_owned()),
    ];
    let checkout = first.checkout().to_owned();
    let stack =
        Stack::elsewhere(checkout, &project, SHIFT).with("deploy/production.yaml", &variables);
    // The images are the first stack's: production is a matter of settings.
    let images = ["user", "course", "notification", "front"];
    for target in images {
        let image = first.container(target).await.text("/Image").to_owned();
        run(docker().args(["tag", &image, &format!("{project}/{target}:dev")])).await;
    }
    let up = stack.try_compose(&["up", "--wait", "--no-build"]).await;

    let mut told = Vec::new();
    if up.status.success() {
        let password = std::fs::read_to_string(secrets.join("admin_password")).expect("made");
        let apis = stack.apis();
        for (email, password) in [
            (ADMIN, password.as_str()),
            ("admin@lyceum.test", "plato-olive-grove-387"),
        ] {
            let credentials = json!({"email": email, "password": password});
            let login = apis
                .user
                .post("/auth/login")
                .json(&credentials)
                .send()
                .await;
            told.push(login.status);
        }
        for service in SERVICES {
            let container = stack.container(service).await;
            let environment = container.0["Config"]["Env"].to_string();
            for secret in [password.as_str(), "postgres://", "development", "plato"] {
                assert!(!environment.contains(secret), "{service}: {environment}");
            }
        }
    }
    stack
        .compose(&["down", "--volumes", "--remove-orphans"])
        .await;
    for target in images {
        let image = format!("{project}/{target}:dev");
        finished(docker().args(["image", "rm", "--force", &image])).await;
    }
    std::fs::remove_dir_all(&secrets).expect("the secrets are ours");
    assert!(
        up.status.success(),
        "{}",
        String::from_utf8_lossy(&up.stderr)
    );
    println!(
        "{project}: its admin is answered {}, a checkout's {}",
        told[0], told[1]
    );
    assert_eq!(told, [200, 401]);
}
