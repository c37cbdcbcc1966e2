//! What the platform is made of: addresses, and the settings each service is started with.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use lyceum_front::demo::{ADMIN, PASSWORD};
use lyceum_front::services::Addresses;
use tokio::process::Command;

use crate::data::DataFolder;
use crate::ports::{HOST, Ports};
use crate::services::Service;
use crate::supervise::Recipe;

/// What a service is given to end in an orderly way.
const GRACE: Duration = Duration::from_secs(8);

/// Beyond the grace period, for the process itself to go.
const MARGIN: Duration = Duration::from_secs(2);

/// How often spans leave a service: what was just done should be on the trace page when one looks.
const EXPORT_INTERVAL: Duration = Duration::from_secs(1);

/// How long a service waits for the receiver, which is next door: when it does not answer, it is
/// gone, and the services are going too.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(1);

/// Chunks from this size on go back to the system when freed. By itself glibc keeps the 19 MiB of
/// every password hash, on each thread that ever made one: 168 MB resident instead of 52, measured.
/// And threads share two heaps: with one each, what each has freed is kept, 6 MB in all.
const GIVE_BACK: [(&str, &str); 2] = [
    ("MALLOC_MMAP_THRESHOLD_", "1048576"),
    ("MALLOC_ARENA_MAX", "2"),
];

/// One run of the platform.
#[derive(Debug)]
pub(crate) struct Platform {
    /// Our own binary.
    pub(crate) program: PathBuf,
    /// Holds the databases and the letters.
    pub(crate) data: DataFolder,
    /// Where everything listens.
    pub(crate) ports: Ports,
    /// `json` or `pretty`.
    pub(crate) log_format: String,
    /// As `tracing`'s `EnvFilter` reads it.
    pub(crate) log_filter: String,
}

impl Platform {
    /// Base URL of a service's API.
    pub(crate) fn api(&self, service: Service) -> String {
        url(self.ports.of(service).api)
    }

    /// Base URLs of all APIs.
    pub(crate) fn apis(&self) -> Addresses {
        Addresses {
            user: self.api(Service::User),
            course: self.api(Service::Course),
            notification: self.api(Service::Notification),
        }
    }

    /// Base URL of a service's operations.
    pub(crate) fn operations(&self, service: Service) -> String {
        url(self.ports.of(service).operations)
    }

    /// The trace page.
    pub(crate) fn traces(&self) -> String {
        url(self.ports.traces)
    }

    /// How to start one service.
    pub(crate) fn recipe(&self, service: Service) -> Recipe {
        let program = self.program.clone();
        let settings = self.settings(service);
        let command = Box::new(move || {
            let mut command = Command::new(&program);
            command.args(["service", service.name()]).envs(GIVE_BACK);
            command.envs(settings.iter().map(|(key, value)| (key, OsStr::new(value))));
            command
        });
        Recipe {
            name: service.name(),
            command,
            patience: GRACE + MARGIN,
        }
    }

    /// Over the service's own defaults and over what the environment says.
    fn settings(&self, service: Service) -> Vec<(String, String)> {
        let ports = self.ports.of(service);
        let mut settings: Vec<(String, String)> = [
            ("HTTP__HOST", HOST.to_string()),
            ("HTTP__PORT", ports.api.to_string()),
            ("OPERATIONS__HOST", HOST.to_string()),
            ("OPERATIONS__PORT", ports.operations.to_string()),
            ("DATABASE__URL", self.data.database_url(service.name())),
            ("LIFECYCLE__STOP_WITH_STDIN", "true".to_owned()),
            ("LIFECYCLE__GRACE_MS", GRACE.as_millis().to_string()),
            // No load balancer has to hear of our leaving first.
            ("LIFECYCLE__DRAIN_DELAY_MS", "0".to_owned()),
            ("TELEMETRY__OTLP_ENDPOINT", url(self.ports.otlp)),
            (
                "TELEMETRY__EXPORT_INTERVAL_MS",
                EXPORT_INTERVAL.as_millis().to_string(),
            ),
            (
                "TELEMETRY__EXPORT_TIMEOUT_MS",
                EXPORT_TIMEOUT.as_millis().to_string(),
            ),
            ("TELEMETRY__LOG_FORMAT", self.log_format.clone()),
            ("TELEMETRY__LOG_FILTER", self.log_filter.clone()),
        ]
        .into_iter()
        .map(|(key, value)| (format!("LYCEUM__{key}"), value))
        .collect();
        if service == Service::User {
            settings.push(("LYCEUM__ADMIN__EMAIL".to_owned(), ADMIN.email.to_owned()));
            settings.push(("LYCEUM__ADMIN__PASSWORD".to_owned(), PASSWORD.to_owned()));
            // The live page signs people in here, by whichever name it was opened.
            let port = self.ports.of(Service::Notification).api;
            let pages = format!("{},http://localhost:{port}", url(port));
            settings.push(("LYCEUM__HTTP__ALLOWED_ORIGINS".to_owned(), pages));
        }
        if service == Service::Notification {
            let key = "LYCEUM__PAGE__USER_URL".to_owned();
            settings.push((key, self.api(Service::User)));
            let letters = self.data.path().join("mail");
            let key = "LYCEUM__MAIL__FOLDER".to_owned();
            settings.push((key, letters.to_string_lossy().into_owned()));
        }
        for peer in service.peers() {
            let key = format!(
                "LYCEUM__UPSTREAMS__{}__BASE_URL",
                peer.name().to_uppercase()
            );
            settings.push((key, self.api(*peer)));
        }
        settings
    }
}

fn url(port: u16) -> String {
    format!("http://{HOST}:{port}")
}
