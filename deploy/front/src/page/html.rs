//! The page as text: a template with links, states and logins filled in.
//!
//! Nothing reaches it unescaped: the host it was asked by is checked to be one, all else is ours.

use std::fmt::Write as _;

use crate::demo::{INSTRUCTOR, PASSWORD, STUDENT};
use crate::status::Part;

const TEMPLATE: &str = include_str!("page.html");

const NO_LOGINS: &str = "<p>None: no demo data is wanted here, and the catalogue holds what you \
    put there.</p>";

const LOGINS_BEGIN: &str = r#"<div class="scroll">
<table>
<thead><tr><th scope="col">role</th><th scope="col">e-mail address</th><th scope="col">password</th></tr></thead>
<tbody>"#;

const LOGINS_END: &str = "</tbody>
</table>
</div>";

/// Ports of the host, which the links lead to.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Ports {
    /// API of user, as published on the host; for the links of the page, like all of these
    #[arg(
        long,
        env = "FRONT_USER_PORT",
        default_value_t = 8001,
        value_name = "PORT"
    )]
    pub user_port: u16,
    /// API of course
    #[arg(
        long,
        env = "FRONT_COURSE_PORT",
        default_value_t = 8002,
        value_name = "PORT"
    )]
    pub course_port: u16,
    /// API of notification
    #[arg(
        long,
        env = "FRONT_NOTIFICATION_PORT",
        default_value_t = 8003,
        value_name = "PORT"
    )]
    pub notification_port: u16,
    /// Operations of user
    #[arg(
        long,
        env = "FRONT_USER_OPERATIONS_PORT",
        default_value_t = 9001,
        value_name = "PORT"
    )]
    pub user_operations_port: u16,
    /// Operations of course
    #[arg(
        long,
        env = "FRONT_COURSE_OPERATIONS_PORT",
        default_value_t = 9002,
        value_name = "PORT"
    )]
    pub course_operations_port: u16,
    /// Operations of notification
    #[arg(
        long,
        env = "FRONT_NOTIFICATION_OPERATIONS_PORT",
        default_value_t = 9003,
        value_name = "PORT"
    )]
    pub notification_operations_port: u16,
    /// Trace viewer
    #[arg(
        long,
        env = "FRONT_TRACES_PORT",
        default_value_t = 16686,
        value_name = "PORT"
    )]
    pub traces_port: u16,
    /// Mail catcher
    #[arg(
        long,
        env = "FRONT_MAIL_PORT",
        default_value_t = 8025,
        value_name = "PORT"
    )]
    pub mail_port: u16,
    /// Prometheus
    #[arg(
        long,
        env = "FRONT_PROMETHEUS_PORT",
        default_value_t = 9090,
        value_name = "PORT"
    )]
    pub prometheus_port: u16,
    /// Grafana
    #[arg(
        long,
        env = "FRONT_GRAFANA_PORT",
        default_value_t = 3000,
        value_name = "PORT"
    )]
    pub grafana_port: u16,
}

/// How somebody gets in as the admin of the demo.
#[derive(Clone, Debug)]
pub struct AdminLogin {
    /// Address of the account.
    pub email: String,
    /// Whether the password is the demo's, and so no secret.
    pub is_demo: bool,
}

/// The whole page. `host` is what the page was asked by.
pub(super) fn page(
    host: Option<&str>,
    ports: Ports,
    admin: Option<&AdminLogin>,
    demo: &str,
    parts: &[Part],
) -> String {
    let host = host.and_then(host_name).unwrap_or("localhost");
    let links = [
        ("user", ports.user_port),
        ("course", ports.course_port),
        ("notification", ports.notification_port),
        ("user_operations", ports.user_operations_port),
        ("course_operations", ports.course_operations_port),
        (
            "notification_operations",
            ports.notification_operations_port,
        ),
        ("traces", ports.traces_port),
        ("mail", ports.mail_port),
        ("prometheus", ports.prometheus_port),
        ("grafana", ports.grafana_port),
    ];
    let mut page = TEMPLATE
        .replace("{{demo}}", &escaped(demo))
        .replace("{{parts}}", &part_items(parts))
        .replace("{{logins}}", &logins(admin));
    for (name, port) in links {
        page = page.replace(&format!("{{{{{name}}}}}"), &format!("http://{host}:{port}"));
    }
    page
}

/// The host of a `Host` header without its port, if it can be nothing but a name or an address.
fn host_name(header: &str) -> Option<&str> {
    let name = match header.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => header,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_name = !name.is_empty() && name.bytes().all(plain);
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let is_address = address.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    (is_name || is_address).then_some(name)
}

fn part_items(parts: &[Part]) -> String {
    let mut items = String::new();
    for Part {
        name,
        state,
        detail,
    } in parts
    {
        let (state, detail) = (state.word(), escaped(detail));
        // Writing to a string cannot fail.
        writeln!(
            items,
            r#"<li id="part-{name}" data-state="{state}"><span class="state">{state}</span><span class="name">{name}</span><span class="detail">{detail}</span></li>"#
        )
        .ok();
    }
    items
}

/// Those the demo has made; nobody has made any when none was wanted.
fn logins(admin: Option<&AdminLogin>) -> String {
    let Some(admin) = admin else {
        return NO_LOGINS.to_owned();
    };
    format!("{LOGINS_BEGIN}\n{}{LOGINS_END}", login_rows(admin))
}

fn login_rows(admin: &AdminLogin) -> String {
    let admin_password = if admin.is_demo {
        PASSWORD
    } else {
        "the one you have set"
    };
    let rows = [
        (STUDENT.role, STUDENT.email, PASSWORD),
        (INSTRUCTOR.role, INSTRUCTOR.email, PASSWORD),
        (crate::demo::ADMIN.role, &admin.email, admin_password),
    ];
    let mut text = String::new();
    for (role, email, password) in rows {
        let (role, email) = (role.as_str(), escaped(email));
        writeln!(
            text,
            "<tr><td>{role}</td><td><code>{email}</code></td><td><code>{password}</code></td></tr>"
        )
        .ok();
    }
    text
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Filled in text is not a template.
            '{' => escaped.push_str("&#123;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_go_to_the_host_the_page_was_asked_by() {
        let hosts = [
            ("localhost:8000", Some("localhost")),
            ("127.0.0.1", Some("127.0.0.1")),
            ("my-box.local:80", Some("my-box.local")),
            ("[::1]:8000", Some("[::1]")),
            ("[::1]", Some("[::1]")),
            ("\"><script>", None),
            ("a@b:8000", None),
            ("[nonsense]:8000", None),
            (":8000", None),
            ("", None),
        ];
        for (header, host) in hosts {
            assert_eq!(host_name(header), host, "{header}");
        }
    }

    #[test]
    fn what_others_say_stays_text() {
        assert_eq!(
            escaped(r#"<b a="1" b='2'>&{{user}}"#),
            "&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;&#123;&#123;user}}"
        );
    }
}
