//! A Postgres server of the test's own, for the rare test that restarts it or makes roles.
//!
//! Where a database on the server of `TEST_POSTGRES_URL` is enough, see [`crate::database`]: that
//! one is shared, so nobody may stop it, and its roles are everybody's.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, getuid, kill_process};
use tempfile::TempDir;

use crate::PATIENCE;
use crate::database::{Engine, environment};

/// Whom the server runs as when the test runs as root, which Postgres refuses.
const OWNER: &str = "postgres";

/// A running server; stopped and gone when dropped, also when the test is killed.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Server {
    /// The password of its superuser, `postgres`. It listens on the loopback interface for as
    /// long as one test.
    pub const PASSWORD: &str = "hippocampus";

    /// Makes one. `None` where the tests run on `SQLite`, or no server binary is installed.
    ///
    /// # Panics
    /// When it cannot be made; without a binary too, if `LYCEUM_REQUIRE_POSTGRES` is set.
    pub fn start() -> Option<Self> {
        if Engine::chosen() == Engine::Sqlite {
            return None;
        }
        let Some(programs) = programs() else {
            let required = environment("LYCEUM_REQUIRE_POSTGRES").is_some();
            assert!(!required, "no Postgres server in /usr/lib/postgresql");
            return None;
        };
        let folder = TempDir::with_prefix("lyceum-postgres-").expect("a temporary folder");
        let password = folder.path().join("password");
        fs::write(&password, Self::PASSWORD).expect("a file of our own");
        if getuid().is_root() {
            let owner = (Some(id_of_owner("-u")), Some(id_of_owner("-g")));
            for path in [folder.path(), &password] {
                chown(path, owner.0, owner.1).expect("root gives a folder away");
            }
        }
        let mut server = Self {
            programs,
            folder,
            port: 0,
            process: None,
        };
        let data = server.data();
        let mut initdb = server.as_owner("initdb");
        initdb.args(["--username", OWNER, "--auth", "scram-sha-256", "--no-sync"]);
        initdb.args(["--encoding", "UTF8", "--locale", "C", "--pgdata"]);
        initdb.arg(data).arg("--pwfile").arg(password);
        let output = initdb.output().expect("initdb can be run");
        assert!(output.status.success(), "{}", errors(&output));
        server.port = free_port();
        server.resume();
        Some(server)
    }

    /// The URL of a database, for its superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_of(OWNER, Self::PASSWORD, database)
    }

    /// The URL of a database, for somebody.
    pub fn url_of(&self, role: &str, password: &str, database: &str) -> String {
        let port = self.port;
        format!("postgres://{role}:{password}@127.0.0.1:{port}/{database}")
    }

    /// Its port, on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of `psql` and its companions.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Runs one statement; what it prints, or the first line of what is wrong.
    ///
    /// # Errors
    /// When the server, or psql, refuses.
    ///
    /// # Panics
    /// When there is no psql.
    pub fn query(&self, url: &str, statement: &str) -> Result<String, String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", url]);
        let output = psql.args(["-c", statement]).output();
        let output = output.expect("psql can be run");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(errors(&output))
        }
    }

    /// Stops it as `systemctl stop` does: every session is told and cut.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("the server runs");
        end(&mut process, Signal::INT);
    }

    /// Starts it again, on the same port, and returns when it takes connections.
    ///
    /// # Panics
    /// When it does not start: with its log.
    pub fn resume(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).expect("a file of our own");
        let mut command = self.as_owner("postgres");
        command.arg("-D").arg(self.data());
        command.arg("-k").arg(self.folder.path());
        command.args(["-p", &self.port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "shared_buffers=16MB",
        ] {
            command.args(["-c", setting]);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        self.process = Some(command.spawn().expect("the server can be run"));
        let until = Instant::now() + PATIENCE;
        let mut ready = Command::new(self.programs.join("pg_isready"));
        ready.args([
            "-q",
            "-t",
            "1",
            "-h",
            "127.0.0.1",
            "-p",
            &self.port.to_string(),
        ]);
        while !ready.status().expect("pg_isready can be run").success() {
            let log = fs::read_to_string(self.folder.path().join("log"));
            assert!(Instant::now() < until, "{}", log.unwrap_or_default());
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of its programs, as somebody who is not root, and not for longer than this test.
    fn as_owner(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]);
        if getuid().is_root() {
            command.args(["--reuid", OWNER, "--regid", OWNER, "--clear-groups"]);
        }
        command.arg(self.programs.join(program));
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            end(&mut process, Signal::QUIT);
        }
    }
}

fn end(process: &mut Child, signal: Signal) {
    kill_process(Pid::from_child(process), signal).ok();
    process.wait().ok();
}

/// Debian keeps the server out of `PATH`; the highest version wins.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders
        .filter(|folder| folder.join("postgres").is_file())
        .max_by_key(|folder| {
            let version = folder.parent().and_then(Path::file_name);
            version.and_then(|version| version.to_str()?.parse::<u32>().ok())
        })
}

fn id_of_owner(which: &str) -> u32 {
    let output = Command::new("id").args([which, OWNER]).output();
    let output = output.expect("id can be run");
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    text.parse()
        .expect("Debian's package makes a user postgres")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("a bound port").port()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
