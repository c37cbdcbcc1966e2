//! The whole platform as a person starts it: the real binary, three real services, real signals.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its world is not as expected"
)]

mod refusals;
mod running;

/// Starting the platform, and reading what it says.
mod platform {
    use std::path::Path;
    use std::time::Duration;

    use lyceum_testing::http::Client;
    use lyceum_testing::process::{Launch, Process};

    /// Debug builds of three services on a loaded machine.
    pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

    /// The binary under test, on ports of its own.
    pub(crate) fn lyceum(data: &Path) -> Launch {
        Process::command(env!("CARGO_BIN_EXE_lyceum"))
            .variable("LYCEUM_DATA", data.display())
            .variable("LYCEUM_API_PORT", 0)
            .variable("LYCEUM_OPERATIONS_PORT", 0)
            .variable("LYCEUM_OTLP_PORT", 0)
            .variable("LYCEUM_TRACES_PORT", 0)
    }

    /// Waits for the block and reads a client out of it, by the label of its line.
    pub(crate) async fn client(lyceum: &Process, label: &str) -> Client {
        let address = |line: &str| {
            let mut words = line.strip_prefix("    ")?.split_whitespace();
            (words.next()? == label).then(|| words.next().map(str::to_owned))?
        };
        Client::new(lyceum.wait_for_line(label, address, PATIENCE).await)
    }

    /// Waits until everything is up.
    pub(crate) async fn up(lyceum: &Process) {
        let last = |line: &str| line.contains("Ctrl-C stops everything").then_some(());
        lyceum
            .wait_for_line("the last line of the block", last, PATIENCE)
            .await;
    }
}
