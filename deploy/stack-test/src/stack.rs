//! One project of `docker compose`, running.

use std::path::{Path, PathBuf};
use std::process::Output;

use lyceum_testing::http::Client;
use lyceum_testing::people::Apis;
use serde_json::Value;

use crate::command::{docker, finished, run};
use crate::container::Container;

/// What runs when the stack is whole; one container each.
const PARTS: [&str; 8] = [
    "postgres",
    "user",
    "course",
    "notification",
    "front",
    "collector",
    "jaeger",
    "mailpit",
];

/// What the profiles add.
const EXTRAS: [&str; 4] = ["prometheus", "grafana", "load", "chaos"];

/// The services of the platform.
pub const SERVICES: [&str; 3] = ["user", "course", "notification"];

/// Every host port: variable, default.
const PORTS: [(&str, u16); 11] = [
    ("FRONT_PORT", 8000),
    ("USER_PORT", 8001),
    ("COURSE_PORT", 8002),
    ("NOTIFICATION_PORT", 8003),
    ("USER_OPERATIONS_PORT", 9001),
    ("COURSE_OPERATIONS_PORT", 9002),
    ("NOTIFICATION_OPERATIONS_PORT", 9003),
    ("TRACES_PORT", 16686),
    ("MAIL_PORT", 8025),
    ("PROMETHEUS_PORT", 9090),
    ("GRAFANA_PORT", 3000),
];

/// A running project.
#[derive(Debug, Clone)]
pub struct Stack {
    checkout: PathBuf,
    project: String,
    /// Added to every default port.
    shift: u16,
    /// Compose files, below the checkout.
    files: Vec<&'static str>,
    /// What the files read from the environment, ports apart.
    variables: Vec<(&'static str, String)>,
}

impl Stack {
    /// The one `make stack-test` has started from this checkout, on the default ports. What a test
    /// before this one has left broken is mended first.
    ///
    /// # Panics
    /// Outside `make stack-test`.
    pub async fn running() -> Self {
        let stack = Self::of_the_script();
        stack.mend().await;
        stack
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the script that starts the stack names it in the environment"
    )]
    fn of_the_script() -> Self {
        let project = std::env::var("COMPOSE_PROJECT_NAME");
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self {
            checkout: checkout.canonicalize().expect("the checkout is there"),
            project: project.expect("COMPOSE_PROJECT_NAME is set by make stack-test"),
            shift: 0,
            files: vec!["docker-compose.yml"],
            variables: Vec::new(),
        }
    }

    async fn mend(&self) {
        let label = |name: &str, value: &str| format!("label=com.docker.compose.{name}={value}");
        let mut strays = docker();
        strays.args([
            "ps",
            "--all",
            "--quiet",
            "--filter",
            &label("oneoff", "True"),
        ]);
        let strays = run(strays.args(["--filter", &label("project", &self.project)])).await;
        if !strays.is_empty() {
            run(docker().args(["rm", "--force"]).args(strays.lines())).await;
        }
        let containers = self.containers(None).await;
        let of = |part: &str| {
            let of_part = containers
                .iter()
                .filter(|container| container.service() == part);
            of_part.collect::<Vec<_>>()
        };
        if EXTRAS.iter().any(|extra| !of(extra).is_empty()) {
            let remove = ["--profile", "*", "rm", "--stop", "--force"];
            self.compose(&[&remove[..], &EXTRAS].concat()).await;
        }
        let is_well = |container: &Container| {
            container.state() == "running" && matches!(container.health(), None | Some("healthy"))
        };
        let whole = PARTS
            .iter()
            .all(|part| matches!(of(part)[..], [only] if is_well(only)));
        if !whole {
            let up = ["up", "--wait", "--no-recreate", "--no-build"];
            self.compose(&[&up[..], &["--scale", "notification=1"]].concat())
                .await;
        }
    }

    /// Another project, from another checkout, on ports `shift` above the defaults.
    pub fn elsewhere(checkout: PathBuf, project: &str, shift: u16) -> Self {
        Self {
            checkout,
            project: project.to_owned(),
            shift,
            files: vec!["docker-compose.yml"],
            variables: Vec::new(),
        }
    }

    /// With one more compose file, below the checkout, and what it reads from the environment.
    #[must_use]
    pub fn with(mut self, file: &'static str, variables: &[(&'static str, String)]) -> Self {
        self.files.push(file);
        self.variables.extend_from_slice(variables);
        self
    }

    /// The checkout it was started from.
    pub fn checkout(&self) -> &Path {
        &self.checkout
    }

    /// Its name.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The host port behind a variable of docker-compose.yml.
    pub fn port(&self, variable: &str) -> u16 {
        let (_, port) = PORTS
            .into_iter()
            .find(|(name, _)| *name == variable)
            .expect("a port variable");
        port + self.shift
    }

    /// A client for the port behind a variable.
    pub fn at(&self, variable: &str) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.port(variable)))
    }

    /// The API of a service.
    pub fn api(&self, service: &str) -> Client {
        self.at(&format!("{}_PORT", service.to_uppercase()))
    }

    /// The operations of a service.
    pub fn operations(&self, service: &str) -> Client {
        self.at(&format!("{}_OPERATIONS_PORT", service.to_uppercase()))
    }

    /// The APIs people use, with the admin of a stack whose settings nobody changed.
    pub fn apis(&self) -> Apis {
        Apis {
            user: self.api("user"),
            course: self.api("course"),
            notification: self.api("notification"),
            admin: ("admin@lyceum.test", "plato-olive-grove-387"),
        }
    }

    /// `docker compose` with these arguments, and what it wrote to standard output.
    ///
    /// # Panics
    /// When it fails, with what it wrote to standard error.
    pub async fn compose(&self, arguments: &[&str]) -> String {
        let output = self.try_compose(arguments).await;
        assert!(
            output.status.success(),
            "docker compose {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The same, which may fail.
    pub async fn try_compose(&self, arguments: &[&str]) -> Output {
        let mut command = docker();
        command.args(["compose", "--project-name", &self.project]);
        // Whatever file or folder the environment names: this checkout's.
        command.arg("--project-directory").arg(&self.checkout);
        for file in &self.files {
            command.arg("--file").arg(self.checkout.join(file));
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.args(arguments);
        for (variable, port) in PORTS {
            command.env(variable, (port + self.shift).to_string());
        }
        finished(&mut command).await
    }

    /// Every container of a service, or of the whole project when none is named, ended ones too.
    pub async fn containers(&self, service: Option<&str>) -> Vec<Container> {
        let mut arguments = vec!["ps", "--all", "--quiet", "--no-trunc"];
        arguments.extend(service);
        let ids = self.compose(&arguments).await;
        let ids: Vec<&str> = ids.lines().collect();
        if ids.is_empty() {
            return Vec::new();
        }
        let text = run(docker().arg("inspect").args(ids)).await;
        let all: Vec<Value> = serde_json::from_str(&text).expect("docker inspect speaks JSON");
        all.into_iter().map(Container).collect()
    }

    /// The one container of a service.
    ///
    /// # Panics
    /// When there is none, or more than one.
    pub async fn container(&self, service: &str) -> Container {
        let mut all = self.containers(Some(service)).await;
        assert_eq!(all.len(), 1, "containers of {service}");
        all.remove(0)
    }

    /// The log of a service as JSON lines; other lines are left out.
    pub async fn log(&self, service: &str) -> Vec<Value> {
        let text = self.lines(service).await;
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The log of a service as it is.
    pub async fn lines(&self, service: &str) -> String {
        self.compose(&["logs", "--no-log-prefix", "--no-color", service])
            .await
    }

    /// Runs SQL in a database of the stack as somebody; unaligned rows, or what went wrong.
    pub async fn sql(
        &self,
        role: &str,
        password: &str,
        database: &str,
        sql: &str,
    ) -> Result<String, String> {
        let url = format!("postgres://{role}:{password}@127.0.0.1/{database}");
        let psql = ["exec", "-T", "postgres", "psql", "-qtA", &url, "-c", sql];
        let output = self.try_compose(&psql).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }
}
