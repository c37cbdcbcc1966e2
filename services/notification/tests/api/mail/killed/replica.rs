//! A replica that is killed and started again, with a mail server of its own each time, so that it
//! is known which process a letter came from.

use std::collections::BTreeSet;
use std::sync::Arc;

use lyceum_testing::PATIENCE;
use lyceum_testing::database::TestDatabase;
use lyceum_testing::process::Process;
use lyceum_testing::smtp::MailServer;
use sea_orm::{ConnectionTrait, Statement};

use super::moods::{Moods, TIMEOUT};
use super::registry::Registry;

/// What all replicas have in common.
pub(super) struct Setting {
    pub(super) seed: u64,
    database: TestDatabase,
    pub(super) registry: Registry,
    pub(super) moods: Arc<Moods>,
    /// Where each replica is to listen; 0 where it does not matter.
    pub(super) ports: Vec<u16>,
}

/// One process, from its start to its end.
pub(super) struct Replica {
    number: usize,
    process: Process,
    server: MailServer,
    url: String,
}

/// What a process has left behind.
pub(super) struct Legacy {
    pub(super) server: MailServer,
    /// Whose letters had not been written down as sent when it was dead; nobody's, if it was not
    /// killed.
    pub(super) open: BTreeSet<i64>,
}

impl Setting {
    pub(super) fn new(seed: u64, registry: Registry, ports: Vec<u16>) -> Self {
        Self {
            seed,
            database: TestDatabase::create(),
            registry,
            moods: Arc::new(Moods::new(seed)),
            ports,
        }
    }

    /// Starts the replica of this number, from 0.
    pub(super) async fn start(&self, number: usize) -> Replica {
        let moods = Arc::clone(&self.moods);
        let server = MailServer::start(move |attempt| moods.manners(number, attempt));
        let process = Process::service(env!("CARGO_BIN_EXE_lyceum-notification"))
            .setting("http.port", self.ports[number])
            .setting("database.url", self.database.url())
            .setting("database.min_connections", 0)
            .setting("upstreams.user.base_url", self.registry.url())
            .setting("mail.transport", "smtp")
            .setting("mail.smtp.host", "127.0.0.1")
            .setting("mail.smtp.port", server.port())
            .setting("mail.poll_ms", 50)
            .setting("mail.timeout_ms", TIMEOUT.as_millis())
            // What was claimed by a process that is gone is due again soon.
            .setting("mail.lease_ms", TIMEOUT.as_millis() + 2_000)
            .start();
        let url = process.ports(PATIENCE).await.api_url();
        Replica {
            number,
            process,
            server,
            url,
        }
    }

    /// Kills a replica, and starts another in its place.
    pub(super) async fn replace(&self, replica: &mut Replica) -> Legacy {
        replica.process.kill9().await;
        // The server may still be reading what the dead process has sent: that counts as well.
        let open = self.open().await;
        let killed = std::mem::replace(replica, self.start(replica.number).await);
        Legacy {
            server: killed.server,
            open,
        }
    }

    /// Whose letters are not written down as sent.
    async fn open(&self) -> BTreeSet<i64> {
        let connection = self.database.connect().await;
        let sql = "SELECT user_id FROM mails WHERE state <> 'sent'";
        let query = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(query).await.unwrap();
        let people = rows.iter().map(|row| row.try_get_by_index(0).unwrap());
        people.collect()
    }
}

impl Replica {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn operations_url(&self) -> String {
        self.process.ports(PATIENCE).await.operations_url()
    }
}

impl From<Replica> for Legacy {
    fn from(replica: Replica) -> Self {
        Self {
            server: replica.server,
            open: BTreeSet::new(),
        }
    }
}
