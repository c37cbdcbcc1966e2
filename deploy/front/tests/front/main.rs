//! Every command of the real binary, before scripted services, ended by real signals.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its world is not as expected"
)]

mod chaos;
mod health;
mod leaving;
mod load;
mod page;
mod services;

/// Starting the front before services that a test has scripted.
mod front {
    use lyceum_testing::PATIENCE;
    use lyceum_testing::http::Client;
    use lyceum_testing::peer::ScriptedPeer;
    use lyceum_testing::process::{Launch, Process};
    use serde_json::Value;

    /// Reserved for a service nobody runs (RFC 1078).
    const NOBODY: &str = "http://127.0.0.1:1";

    /// One command of the binary under test.
    pub(crate) fn command(name: &str) -> Launch {
        Process::command(env!("CARGO_BIN_EXE_lyceum-front")).arg(name)
    }

    /// A front that serves, on free ports, with nobody around it and no demo to make.
    pub(crate) fn launch() -> Launch {
        let urls = [
            "USER",
            "COURSE",
            "NOTIFICATION",
            "USER_OPERATIONS",
            "COURSE_OPERATIONS",
            "NOTIFICATION_OPERATIONS",
            "COLLECTOR",
            "TRACES",
            "MAIL",
            "PROMETHEUS",
            "GRAFANA",
        ];
        let launch = command("serve")
            .variable("FRONT_LISTEN", "127.0.0.1:0")
            .variable("FRONT_DOORS", "")
            .variable("FRONT_DEMO", false)
            .variable("FRONT_TRAFFIC_EVERY_S", 0);
        urls.iter().fold(launch, |launch, name| {
            launch.variable(&format!("FRONT_{name}"), NOBODY)
        })
    }

    /// A client of the page, once it listens.
    pub(crate) async fn page(front: &Process) -> Client {
        let line = front.wait_for_event("front.listening", PATIENCE).await;
        Client::new(format!("http://{}", address(&line)))
    }

    /// Where the first door listens.
    pub(crate) async fn door(front: &Process) -> String {
        address(&front.wait_for_event("door.open", PATIENCE).await)
    }

    fn address(line: &Value) -> String {
        line["address"].as_str().unwrap().to_owned()
    }

    /// `host:port` of a peer.
    pub(crate) fn host_and_port(peer: &ScriptedPeer) -> String {
        peer.url().replace("http://", "")
    }
}
