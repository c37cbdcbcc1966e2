//! `lyceum-user create-admin`, as an operator runs it.

use std::process::Output;

use lyceum_contracts::role::Role;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::spawn::spawn;
use lyceum_user::App;
use serde_json::json;

use crate::commands::{lyceum_user, said};
use crate::platform::{PASSWORD, Platform};

const CREATE: [&str; 5] = [
    "--email",
    "grace@example.org",
    "--full-name",
    "Grace Hopper",
    "--password-stdin",
];

/// Runs it on this database with a line on standard input.
async fn create_admin(database: &TestDatabase, arguments: &[&str], input: &str) -> Output {
    run(database, &[], arguments, input).await
}

async fn run(
    database: &TestDatabase,
    variables: &[(&str, &str)],
    arguments: &[&str],
    input: &str,
) -> Output {
    let arguments = [&["create-admin"], arguments].concat();
    lyceum_user(database, variables, &arguments, input).await
}

#[tokio::test]
async fn an_admin_is_made_before_the_service_was_ever_started() {
    let database = TestDatabase::create();
    let output = create_admin(&database, &CREATE, PASSWORD).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned() + &said(&output);
    for private in ["grace", "Hopper", PASSWORD] {
        assert!(!printed.contains(private), "{printed}");
    }

    let app = spawn::<App>(|settings| settings.platform.database.url = database.url().into());
    let login = json!({"email": "grace@example.org", "password": PASSWORD});
    let login = app.client().post("/auth/login").json(&login).send().await;
    let session: serde_json::Value = login.expect(200).json();
    let token = session["access_token"].as_str().unwrap();
    app.client()
        .get("/users")
        .bearer(token)
        .send()
        .await
        .expect(200);
}

#[tokio::test]
async fn an_admin_is_made_while_the_service_runs() {
    let platform = Platform::start();
    let output = create_admin(platform.app.database(), &CREATE, PASSWORD).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    platform
        .logs_in("grace@example.org", PASSWORD)
        .await
        .expect(200);
    // The first admin of the settings, and this one.
    assert_eq!(platform.deliver_pending().await.delivered, 2);
}

#[tokio::test]
async fn somebody_with_an_account_becomes_an_admin_and_keeps_name_and_password() {
    let platform = Platform::start();
    let ada = platform.student("ada").await;
    for _ in 0..2 {
        let arguments = ["--email", "ADA@example.org", "--full-name", "Somebody Else"];
        let output = create_admin(platform.app.database(), &arguments, "").await;
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let admin = platform.admin().await;
    let path = format!("/users/{}", ada.id);
    let account: lyceum_contracts::user::User = admin.get(&path).await.expect(200).json();
    assert_eq!(
        (account.role, account.full_name.as_str()),
        (Role::Admin, "Ada Lovelace")
    );
    platform.logs_in(&ada.email, PASSWORD).await.expect(200);
    let audit = format!("/audit?user_id={}&action=role_changed", ada.id);
    let kept: serde_json::Value = admin.get(&audit).await.expect(200).json();
    assert_eq!(kept["items"].as_array().unwrap().len(), 1, "{kept}");
}

#[tokio::test]
async fn what_cannot_be_done_is_one_line_and_code_1() {
    let database = TestDatabase::create();
    let name = ["--full-name", "Grace Hopper"];
    for (arguments, input, reason) in [
        (
            &["--email", "grace"][..],
            "",
            "--email must be an e-mail address",
        ),
        (
            &["--email", "a@b.org", "--full-name", " "],
            "",
            "--full-name must not",
        ),
        (&["--email", "a@b.org"], "", "give --full-name"),
        (
            &["--email", "a@b.org", name[0], name[1]],
            "",
            "give --password-stdin",
        ),
        (&CREATE, "", "the password must have at least 8"),
        (&CREATE, "password1", "the password is one of"),
    ] {
        let output = create_admin(&database, arguments, input).await;
        let line = said(&output);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(
            line.starts_with("lyceum-user: ") && line.contains(reason),
            "{line}"
        );
        assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    }
}

#[tokio::test]
async fn a_password_is_no_argument() {
    let database = TestDatabase::create();
    let arguments = [&CREATE[..], &["--password", PASSWORD]].concat();
    let output = create_admin(&database, &arguments, PASSWORD).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[tokio::test]
async fn where_it_may_not_migrate_it_says_who_has_to() {
    let database = TestDatabase::create();
    let variables = [("LYCEUM__DATABASE__MIGRATE_ON_START", "false")];
    let output = run(&database, &variables, &CREATE, PASSWORD).await;
    let line = said(&output);
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.contains("run `lyceum-user migrate` first"), "{line}");
}
