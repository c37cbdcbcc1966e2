//! Real processes: small shell scripts that report to a file what happens to them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

use super::*;

const DEADLINE: Duration = Duration::from_secs(10);

/// Ends when its standard input does, as a service does.
const OBEDIENT: &str = "echo $$ >> pids; while read -r line; do :; done; echo ended >> pids";
/// Hears nothing.
const STUBBORN: &str = "trap '' TERM; echo $$ >> pids; exec sleep 600";

struct Scene {
    folder: TempDir,
    fleet: Fleet,
}

impl Scene {
    fn new(script: &'static str, patience: Duration) -> Self {
        Self::with(patience, move |folder| shell(script, folder))
    }

    /// `command` makes each start's command, to be run in the folder it is given.
    fn with(patience: Duration, command: impl Fn(&Path) -> Command + Send + 'static) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let command = Box::new(move || command(&path));
        let recipe = Recipe {
            name: "user",
            command,
            patience,
        };
        let mut fleet = Fleet::new(Console::new(true));
        fleet.start(recipe);
        Self { folder, fleet }
    }

    fn pids(&self) -> PathBuf {
        self.folder.path().join("pids")
    }

    /// Waits until the child has been started `times` times.
    async fn nth_start(&self, times: usize) -> Pid {
        let pids = self.pids();
        until(async || {
            let text = fs::read_to_string(&pids).unwrap_or_default();
            let pids: Vec<i32> = text.lines().filter_map(|line| line.parse().ok()).collect();
            pids.get(times - 1).and_then(|pid| Pid::from_raw(*pid))
        })
        .await
    }

    async fn end(&mut self) -> Report {
        self.fleet.stop();
        tokio::time::timeout(DEADLINE, self.fleet.next_ended())
            .await
            .unwrap()
            .unwrap()
    }
}

fn shell(script: &str, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder);
    command
}

async fn until<T>(mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let poll = async {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        loop {
            tick.tick().await;
            if let Some(found) = probe().await {
                return found;
            }
        }
    };
    tokio::time::timeout(DEADLINE, poll).await.unwrap()
}

fn is_alive(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

#[tokio::test]
async fn a_stopped_child_ends_by_itself_and_is_gone() {
    let mut scene = Scene::new(OBEDIENT, DEADLINE);
    let child = scene.nth_start(1).await;
    let report = scene.end().await;
    assert!(report.is_clean(), "{report:?}");
    assert!(
        fs::read_to_string(scene.pids())
            .unwrap()
            .ends_with("ended\n")
    );
    assert!(!is_alive(child));
}

#[tokio::test]
async fn a_child_that_does_not_listen_is_killed_when_time_is_up() {
    let mut scene = Scene::new(STUBBORN, Duration::from_millis(50));
    let child = scene.nth_start(1).await;
    let report = scene.end().await;
    assert!(
        matches!(report.outcome, Ok(Outcome::Stopped(Ending::Killed))),
        "{report:?}"
    );
    assert!(!is_alive(child));
}

#[tokio::test]
async fn an_abort_does_not_wait_for_the_time_to_be_up() {
    let mut scene = Scene::new(STUBBORN, Duration::from_mins(10));
    let child = scene.nth_start(1).await;
    scene.fleet.abort();
    let report = scene.end().await;
    assert!(
        matches!(report.outcome, Ok(Outcome::Stopped(Ending::Killed))),
        "{report:?}"
    );
    assert!(!is_alive(child));
}

#[tokio::test]
async fn a_killed_child_is_started_again() {
    let mut scene = Scene::new(OBEDIENT, DEADLINE);
    let first = scene.nth_start(1).await;
    scene.fleet.settle();
    kill_process(first, Signal::KILL).unwrap();
    let second = scene.nth_start(2).await;
    assert_ne!(first, second);
    assert!(scene.end().await.is_clean());
    assert!(!is_alive(second));
}

#[tokio::test]
async fn a_program_that_is_away_for_a_moment_is_started_when_it_is_back() {
    let starts = AtomicUsize::new(0);
    let mut scene = Scene::with(DEADLINE, move |folder| {
        if starts.fetch_add(1, Ordering::Relaxed) == 1 {
            Command::new(folder.join("away"))
        } else {
            shell(OBEDIENT, folder)
        }
    });
    let first = scene.nth_start(1).await;
    scene.fleet.settle();
    kill_process(first, Signal::KILL).unwrap();
    scene.nth_start(2).await;
    assert!(scene.end().await.is_clean());
}

#[tokio::test]
async fn a_program_that_is_not_there_is_a_reason_not_to_start() {
    let mut scene = Scene::with(DEADLINE, |folder| Command::new(folder.join("away")));
    let report = scene.fleet.next_ended().await.unwrap();
    assert!(report.outcome.is_err(), "{report:?}");
}

#[tokio::test]
async fn a_child_that_ends_before_everything_is_settled_is_not_started_again() {
    let mut scene = Scene::new("exit 3", DEADLINE);
    let report = scene.fleet.next_ended().await.unwrap();
    let Ok(Outcome::EndedEarly(status)) = report.outcome else {
        panic!("{report:?}")
    };
    assert_eq!(status.code(), Some(3));
}

#[tokio::test]
async fn a_child_with_a_failing_exit_code_is_not_a_clean_end() {
    let mut scene = Scene::new(
        "echo $$ >> pids; while read -r line; do :; done; exit 7",
        DEADLINE,
    );
    scene.nth_start(1).await;
    let report = scene.end().await;
    assert!(
        matches!(report.outcome, Ok(Outcome::Stopped(Ending::Failed(_)))),
        "{report:?}"
    );
}
