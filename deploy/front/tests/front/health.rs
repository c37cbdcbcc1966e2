//! When the stack counts as ready, and who is told.

use lyceum_testing::PATIENCE;
use lyceum_testing::peer::DownPeer;

use crate::front::{command, launch, page};
use crate::services::script;

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
        "demo data is not whole: no answer from {}/auth/login",
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
        format!("lyceum-front: no answer from {nobody}/health"),
    );
    assert_eq!(healthcheck(&nobody).await, said);
}
