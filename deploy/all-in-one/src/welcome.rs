//! The block a person sees when everything is up: every address, every login, the next step.

use std::fmt::Write as _;

use lyceum_front::demo::{ADMIN, Demo, INSTRUCTOR, PASSWORD, STUDENT};

use crate::platform::Platform;
use crate::services::Service;

/// The block; `demo` is `None` when none was wanted.
pub(crate) fn block(platform: &Platform, demo: Option<&Demo>) -> String {
    let mut text = String::from("\n  Lyceum is up.\n\n");
    for service in Service::ALL {
        let (name, api) = (service.name(), platform.api(service));
        line(&mut text, name, &format!("{api}   {api}/docs"));
    }
    let operations = Service::ALL
        .map(|service| platform.operations(service))
        .join("  ");
    line(&mut text, "operations", &operations);
    line(
        &mut text,
        "",
        "each with /health/ready /metrics /debug/breakers /debug/tasks /debug/settings",
    );
    line(&mut text, "traces", &platform.traces());
    let page = format!("{}/", platform.api(Service::Notification));
    line(&mut text, "live page", &page);
    line(
        &mut text,
        "data",
        &platform.data.path().display().to_string(),
    );
    text.push('\n');
    match demo {
        None => {}
        Some(Ok(())) => logins(&mut text, platform),
        Some(Err(error)) => line(&mut text, "demo data", &format!("incomplete: {error}")),
    }
    text.push_str("  Ctrl-C stops everything; the data stays.\n\n");
    text
}

fn logins(text: &mut String, platform: &Platform) {
    for person in [ADMIN, INSTRUCTOR, STUDENT] {
        line(text, person.role.as_str(), person.email);
    }
    line(text, "password", &format!("{PASSWORD} (all three)"));
    let user = platform.api(Service::User);
    let credentials = format!(r#"{{"email":"{}","password":"{PASSWORD}"}}"#, STUDENT.email);
    let next = format!(
        "\n  Next, log in as the student:\n\n    curl -s {user}/auth/login --json '{credentials}'\n\n"
    );
    text.push_str(&next);
}

/// One line of the table.
fn line(text: &mut String, label: &str, value: &str) {
    // Writing to a string cannot fail.
    writeln!(text, "    {label:<12} {value}").ok();
}
