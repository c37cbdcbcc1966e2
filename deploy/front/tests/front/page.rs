//! What the page shows, where it leads, and what it may load.

use lyceum_testing::peer::{Answer, ScriptedPeer};
use serde_json::{Value, json};

use crate::front::{launch, page};

/// A part of the stack that answers every question with `status`.
fn part(status: u16) -> ScriptedPeer {
    let part = ScriptedPeer::start();
    part.on("GET /health/ready").always(Answer::status(status));
    part.on("GET /readyz").always(Answer::status(status));
    part
}

#[tokio::test]
async fn every_link_goes_to_the_host_the_page_was_asked_by_and_the_ports_of_the_host() {
    let front = launch()
        .variable("FRONT_DEMO", true)
        .variable("FRONT_USER_PORT", 18001)
        .start();
    let page = page(&front).await;
    let html = page
        .get("/")
        .header("host", "box.example:18000")
        .send()
        .await;
    let html = html.expect(200).text();
    for link in [
        "http://box.example:18001/docs/",
        "http://box.example:18001/openapi.json",
        "http://box.example:8002/docs/",
        "http://box.example:8003/docs/",
        "http://box.example:9001/health/ready",
        "http://box.example:9002/debug/breakers",
        "http://box.example:9003/debug/faults",
        "http://box.example:16686/search?service=course&amp;lookback=1h&amp;limit=20",
        "http://box.example:8025/",
        "http://box.example:3000/",
    ] {
        assert!(html.contains(&format!("href=\"{link}\"")), "{link}");
    }
    assert!(html.contains("curl -fsS http://box.example:18001/users "));
    assert!(html.contains("ada@lyceum.test") && html.contains("plato-olive-grove-387"));
    assert!(!html.contains("{{"), "everything is filled in");
}

#[tokio::test]
async fn a_host_that_is_none_is_not_repeated() {
    let front = launch().start();
    let page = page(&front).await;
    let html = page
        .get("/")
        .header("host", "x\"><script>alert(1)</script>");
    let html = html.send().await.expect(200).text();
    assert!(html.contains("http://localhost:8001/docs/") && !html.contains("alert(1)"));
}

#[tokio::test]
async fn the_page_loads_nothing_but_its_own_files_and_may_not() {
    let front = launch().start();
    let page = page(&front).await;
    let answer = page.get("/").send().await.expect(200);
    let policy = answer.header("content-security-policy").unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(
        !policy.contains("unsafe") && !policy.contains("http"),
        "{policy}"
    );
    let html = answer.text();
    for inline in ["<style", " style=", "<script>", " onclick=", "src=\"http"] {
        assert!(!html.contains(inline), "{inline}");
    }
    for (file, kind) in [
        ("/style.css", "text/css; charset=utf-8"),
        ("/script.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        assert!(html.contains(&format!("\"{file}\"")), "{file} is used");
        let answer = page.get(file).send().await.expect(200);
        assert_eq!(answer.header("content-type"), Some(kind));
    }
    page.get("/nothing").send().await.expect(404);
    let refusal = page.post("/").send().await.expect(405);
    assert_eq!(refusal.header("allow"), Some("GET, HEAD"));
}

#[tokio::test]
async fn the_state_of_every_part_is_shown_with_and_without_script() {
    let [ready, starting, mail] = [200, 503, 200].map(part);
    let front = launch()
        .variable("FRONT_USER_OPERATIONS", ready.url())
        .variable("FRONT_COURSE_OPERATIONS", starting.url())
        .variable(
            "FRONT_NOTIFICATION_OPERATIONS",
            "http://notification.invalid:9003",
        )
        .variable("FRONT_MAIL", format!("{}/readyz", mail.url()))
        .start();
    let page = page(&front).await;
    let status: Value = page.get("/status").send().await.expect(200).json();
    assert_eq!(
        status["parts"],
        json!([
            {"name": "user", "state": "up", "detail": "ready"},
            {"name": "course", "state": "down", "detail": "not ready, answers 503"},
            {"name": "notification", "state": "down", "detail": "nobody has this name"},
            {"name": "collector", "state": "down", "detail": "no answer"},
            {"name": "traces", "state": "down", "detail": "no answer"},
            {"name": "mail", "state": "up", "detail": "answers"},
            {"name": "prometheus", "state": "off",
             "detail": "start it with: docker compose --profile metrics up -d"},
            {"name": "grafana", "state": "off",
             "detail": "start it with: docker compose --profile metrics up -d"},
        ])
    );
    let html = page.get("/").send().await.expect(200).text();
    assert!(html.contains("<li id=\"part-user\" data-state=\"up\">"));
    assert!(html.contains("<li id=\"part-course\" data-state=\"down\">"));
    assert!(html.contains("not ready, answers 503"));
    assert_eq!(ready.requests().len(), 1, "one look serves both");
}

#[tokio::test]
async fn an_admin_password_that_is_not_the_demo_s_is_not_shown() {
    let front = launch()
        .variable("FRONT_DEMO", true)
        .variable("FRONT_ADMIN_EMAIL", "root@example.org")
        .variable("FRONT_ADMIN_PASSWORD", "a secret of ours")
        .start();
    let html = page(&front).await.get("/").send().await.expect(200).text();
    assert!(html.contains("root@example.org") && html.contains("the one you have set"));
    assert!(!html.contains("a secret of ours"));
}

#[tokio::test]
async fn without_demo_data_there_are_no_logins() {
    let front = launch().start();
    let html = page(&front).await.get("/").send().await.expect(200).text();
    for login in ["plato", "ada@", "ines@", "admin@", "<table"] {
        assert!(!html.contains(login), "{login}");
    }
    assert!(html.contains("no demo data is wanted"));
}
