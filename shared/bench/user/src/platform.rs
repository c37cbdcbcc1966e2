//! The platform as it is measured: three services on Postgres, everything they do exported.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use lyceum_bench_stage::process::Process;
use lyceum_bench_stage::{SECRET, await_health, database, free_port};
use sqlx::postgres::PgConnectOptions;

/// The pool of the services, by default; that of the minimal one is as large.
pub(crate) const CONNECTIONS: u32 = 30;

/// Everything that runs.
pub(crate) struct Platform {
    pub(crate) user: Service,
    pub(crate) course: Service,
    pub(crate) minimal: Minimal,
    pub(crate) collector: Collector,
    pub(crate) database: PgConnectOptions,
    _notification: Service,
}

/// One of the three.
pub(crate) struct Service {
    pub(crate) process: Process,
    pub(crate) port: u16,
}

pub(crate) struct Minimal {
    pub(crate) process: Process,
    pub(crate) port: u16,
}

pub(crate) struct Collector {
    address: SocketAddr,
    _process: Process,
}

impl Collector {
    /// How many spans have come so far.
    pub(crate) async fn spans(&self) -> Result<u64> {
        let answer = reqwest::get(format!("http://{}/spans", self.address)).await?;
        Ok(answer.json().await?)
    }
}

impl Platform {
    /// Starts all of it on databases of its own, which are made anew.
    pub(crate) async fn start(binaries: &Path, postgres: &str) -> Result<Self> {
        let (process, address) = Process::role("collector", &[])?;
        let collector = Collector {
            address,
            _process: process,
        };
        let ports = [(); 6].map(|()| free_port());
        let [
            user,
            course,
            notification,
            user_ops,
            course_ops,
            notification_ops,
        ] = ports;
        let (user, course, notification) = (user?, course?, notification?);
        let url = |port| format!("http://127.0.0.1:{port}");
        let mut services = Vec::new();
        for (name, port, operations) in [
            ("user", user, user_ops?),
            ("course", course, course_ops?),
            ("notification", notification, notification_ops?),
        ] {
            let database = database::fresh(postgres, name).await?;
            let mut variables = vec![
                ("LYCEUM__DATABASE__URL", database),
                ("LYCEUM__HTTP__PORT", port.to_string()),
                ("LYCEUM__OPERATIONS__PORT", operations.to_string()),
                (
                    "LYCEUM__TELEMETRY__OTLP_ENDPOINT",
                    format!("http://{address}"),
                ),
            ];
            for (peer, variable, port) in [
                ("user", "LYCEUM__UPSTREAMS__USER__BASE_URL", user),
                ("course", "LYCEUM__UPSTREAMS__COURSE__BASE_URL", course),
                (
                    "notification",
                    "LYCEUM__UPSTREAMS__NOTIFICATION__BASE_URL",
                    notification,
                ),
            ] {
                // Notification calls user alone.
                if peer != name && (name, peer) != ("notification", "course") {
                    variables.push((variable, url(port)));
                }
            }
            if name == "user" {
                // Everybody signs in from here.
                let quota = "LYCEUM__LIMITS__LOGIN_PER_ADDRESS__QUOTA";
                variables.push((quota, "1000000".to_owned()));
            }
            let binary = binaries.join(format!("lyceum-{name}"));
            let process = Process::service(&binary, &variables)?;
            await_health(port).await?;
            services.push(Service { process, port });
        }
        let database = database::url(postgres, "user")?;
        let variables = [
            ("DATABASE_URL", database.clone()),
            ("COURSE_URL", url(course)),
            ("NOTIFICATION_URL", url(notification)),
            ("SERVICE_SECRET", SECRET.to_owned()),
        ];
        let (process, address) = Process::role("minimal", &variables)?;
        let minimal = Minimal {
            process,
            port: address.port(),
        };
        let mut services = services.into_iter();
        let mut next = || services.next().context("a service is missing");
        Ok(Self {
            user: next()?,
            course: next()?,
            _notification: next()?,
            minimal,
            collector,
            database: database.parse()?,
        })
    }
}
