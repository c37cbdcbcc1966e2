//! `docker compose stop` while people are at it.

use lyceum_stack_test::Stack;
use lyceum_stack_test::load::{Seen, Watch, callers};
use lyceum_stack_test::viewer::Viewer;
use lyceum_testing::http::Client;

/// Callers of each service.
const CALLERS: usize = 4;

/// The services and the host's way in to them; collector and viewer stay, to be asked afterwards.
const LEAVING: [&str; 4] = ["front", "user", "course", "notification"];

#[tokio::test]
#[ignore = "needs the running stack: make stack-test"]
async fn stop_under_load_loses_no_request_and_no_span() {
    let stack = Stack::running().await;
    let apis = stack.apis();
    let ada = apis.register("Ada").await;
    let me = format!("/users/{}", ada.id);
    let viewer = Viewer::emptied(&stack).await;
    let watch = Watch::default();
    let asked = |path: &str| {
        let (path, token) = (path.to_owned(), ada.token.clone());
        async move |api: &Client| api.get(&path).bearer(&token).try_send().await
    };
    let user = callers(CALLERS, apis.user.base_url(), &watch, asked(&me));
    let course = callers(CALLERS, apis.course.base_url(), &watch, asked("/courses"));
    let notification = callers(
        CALLERS,
        apis.notification.base_url(),
        &watch,
        asked("/notifications"),
    );
    let stop = async {
        watch.more(1_000).await;
        let stop = ["stop"].into_iter().chain(LEAVING).collect::<Vec<_>>();
        stack.compose(&stop).await;
        watch.end();
    };
    let (user, course, notification, ()) = tokio::join!(user, course, notification, stop);

    let mut codes = Vec::new();
    for service in LEAVING {
        let container = stack.container(service).await;
        codes.push((service, container.number("/State/ExitCode")));
    }
    stack.compose(&["up", "--wait", "--no-recreate"]).await;

    for (service, seen) in [
        ("user", user),
        ("course", course),
        ("notification", notification),
    ] {
        let Seen {
            took,
            last,
            failures,
        } = seen;
        println!(
            "{service}: {} answers, {} failures",
            took.len(),
            failures.len()
        );
        assert_eq!(failures, Vec::<String>::new(), "{service}");
        assert_eq!(last.len(), CALLERS, "{service}");
        for trace in last {
            viewer.wait_for(&trace, |spans| !spans.is_empty()).await;
        }
    }
    println!("exit codes: {codes:?}");
    assert!(codes.iter().all(|(_, code)| *code == 0), "{codes:?}");
}
