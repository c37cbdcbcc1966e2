//! When the stack counts as ready, and who is told.

use lyceum_testing::PATIENCE;
use lyceum_testing::peer::{Answer, DownPeer, ScriptedPeer};
use lyceum_testing::process::Launch;
use serde_json::{Value, json};

use crate::front::{command, launch, page};
use crate::services::{TITLES, course, script};

/// What the system says where nobody listens, and who passes it on.
const REFUSED: &str =
    "client error (Connect): tcp connect error: Connection refused (os error 111)";

/// What `lyceum-front healthcheck` says of a page, and whether it is content.
async fn healthcheck(page: &str) -> (bool, String) {
    let mut check = command("healthcheck")
        .variable("FRONT_LISTEN", page.replace("http://", ""))
        .start();
    let status = check.wait(PATIENCE).await;
    let mut said = check.lines();
    said.extend(check.error_lines());
    assert_eq!(said.len(), 1, "{said:?}");
    (status.success(), said.remove(0))
}

#[tokio::test]
async fn the_stack_is_not_ready_before_the_demo_data_is_there() {
    let later = DownPeer::hold();
    let front = launch()
        .variable("FRONT_DEMO", true)
        .variable("FRONT_TRAFFIC_EVERY_S", 1)
        .variable("FRONT_USER", later.url())
        .variable("FRONT_COURSE", later.url())
        .variable("FRONT_NOTIFICATION", later.url())
        .start();
    let page = page(&front).await;
    let reason = format!(
        "demo data is not whole: no answer from {}/auth/login: {REFUSED}",
        later.url()
    );
    front.wait_for_event("demo.waiting", PATIENCE).await;
    let health = page.get("/health").send().await.expect(503);
    assert_eq!(health.text(), format!("{reason}\n"));
    let said = (false, format!("lyceum-front: not ready: {reason}"));
    assert_eq!(healthcheck(page.base_url()).await, said);

    let services = later.come_up();
    script(&services);
    front.wait_for_event("demo.whole", PATIENCE).await;
    page.get("/health").send().await.expect(200);
    let said = (true, "demo data is there".to_owned());
    assert_eq!(healthcheck(page.base_url()).await, said);

    // Then visits begin, each with a look at live notifications.
    let visited = async {
        loop {
            let requests = services
                .wait_for_requests(services.requests().len() + 1, PATIENCE)
                .await;
            if requests
                .iter()
                .any(|request| request.path == "/sse/notifications")
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, visited).await.unwrap();
}

#[tokio::test]
async fn a_stack_without_demo_data_is_ready_at_once() {
    let front = launch().start();
    let page = page(&front).await;
    page.get("/health").send().await.expect(200);
    let said = (true, "running; no demo data is wanted".to_owned());
    assert_eq!(healthcheck(page.base_url()).await, said);
}

#[tokio::test]
async fn nobody_at_home_is_not_healthy() {
    let nobody = DownPeer::hold().url();
    let said = (
        false,
        format!("lyceum-front: no answer from {nobody}/health: {REFUSED}"),
    );
    assert_eq!(healthcheck(&nobody).await, said);
}

fn with_demo(services: &ScriptedPeer) -> Launch {
    ["FRONT_USER", "FRONT_COURSE", "FRONT_NOTIFICATION"]
        .iter()
        .fold(launch().variable("FRONT_DEMO", true), |front, name| {
            front.variable(name, services.url())
        })
}

#[tokio::test]
async fn an_admin_with_another_password_is_the_reason() {
    let services = ScriptedPeer::start();
    services.on("POST /auth/login").always(Answer::status(401));
    let front = with_demo(&services).start();
    let waiting = front.wait_for_event("demo.waiting", PATIENCE).await;
    let reason = "the admin cannot sign in as admin@lyceum.test: 401; \
        the data was made with another ADMIN_PASSWORD";
    assert_eq!(waiting["reason"], reason);
}

#[tokio::test]
async fn a_course_that_could_not_be_published_is_not_written_again() {
    let services = ScriptedPeer::start();
    script(&services);
    services.on("GET /courses").always(Answer::json(
        200,
        &json!({"items": [], "next_cursor": null}),
    ));
    services.on("POST /courses").always_with(|request| {
        let wanted: Value = request.json();
        Answer::json(201, &course(wanted["title"].as_str().unwrap(), "draft"))
    });
    let publish = services.on("POST /courses/{id}/publish");
    publish
        .then(Answer::status(503))
        .then(Answer::status(503))
        .always(Answer::status(200));
    let front = with_demo(&services).start();
    front.wait_for_event("demo.whole", PATIENCE).await;
    let mut written = services.requests();
    written.retain(|request| request.method == "POST" && request.path == "/courses");
    assert_eq!(written.len(), 3, "{written:?}");
}

#[tokio::test]
async fn a_course_is_found_on_every_page_of_the_catalogue() {
    let services = ScriptedPeer::start();
    script(&services);
    let first = services.on("GET /courses");
    let others = json!({"items": [course("Another one", "published")], "next_cursor": "n3xt"});
    first.then(Answer::json(200, &others)).always(Answer::json(
        200,
        &json!({"items": TITLES.map(|title| course(title, "published")), "next_cursor": null}),
    ));
    let front = with_demo(&services).start();
    front.wait_for_event("demo.whole", PATIENCE).await;
    let mut asked = services.requests();
    assert!(
        !asked
            .iter()
            .any(|request| request.method == "POST" && request.path == "/courses")
    );
    asked.retain(|request| request.path.starts_with("/courses") && request.method == "GET");
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[1].query, "limit=1000&cursor=n3xt");
}
