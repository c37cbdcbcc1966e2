//! Letters to a mail server, over a few connections that are kept.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lyceum_chassis::settings::SettingsError;
use lyceum_resilience::breaker::Verdict;
use tokio::net::TcpStream;

use super::Failure;
use crate::mail::settings::{MailSettings, Security};
use crate::schedule::Cause;

/// A connection that has rested for longer is asked for a sign of life before it is used.
const RESTED: Duration = Duration::from_secs(1);
/// A connection that has rested for longer is given up: RFC 5321 §4.5.3.2.7 has servers wait five
/// minutes, and many wait for less.
const STALE: Duration = Duration::from_secs(30);

/// A mail server and the connections to it.
pub(in crate::mail) struct Server {
    host: String,
    port: u16,
    timeout: Duration,
    tls: Option<(Security, TlsParameters)>,
    credentials: Option<Credentials>,
    hello: ClientId,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl Server {
    pub(super) fn new(settings: &MailSettings) -> Result<Self, SettingsError> {
        let smtp = &settings.smtp;
        let tls = match smtp.security {
            Security::None => None,
            secured => {
                let parameters = TlsParameters::new(smtp.host.clone()).map_err(|error| {
                    SettingsError::refused("mail.smtp.security", format!("cannot be: {error}"))
                })?;
                Some((secured, parameters))
            }
        };
        let credentials = (!smtp.username.is_empty())
            .then(|| Credentials::new(smtp.username.clone(), smtp.password.expose().to_owned()));
        let sender = settings.sender()?;
        Ok(Self {
            host: smtp.host.clone(),
            port: smtp.port,
            timeout: settings.timeout(),
            tls,
            credentials,
            hello: ClientId::Domain(sender.email.domain().to_owned()),
            idle: Mutex::default(),
        })
    }

    /// Sends one letter. Given up in the middle, its connection is closed.
    pub(super) async fn send(&self, message: &Message) -> Result<(), Failure> {
        let mut connection = match self.rested().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let sent = connection
            .send(message.envelope(), &message.formatted())
            .await;
        if !connection.has_broken() {
            self.idle().push((connection, Instant::now()));
        }
        sent.map(drop).map_err(|error| of_letter(&error))
    }

    /// Whatever goes wrong here is about the server: no letter has been named.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let mut connection = match &self.tls {
            Some((Security::Tls, parameters)) => self.wrapped(parameters.clone()).await?,
            Some((_, parameters)) => {
                let mut connection = self.plain().await?;
                let upgraded = connection.starttls(parameters.clone(), &self.hello);
                upgraded.await.map_err(|error| of_server(&error))?;
                connection
            }
            None => self.plain().await?,
        };
        if let Some(credentials) = &self.credentials {
            let known = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            known.map_err(|error| of_server(&error))?;
        }
        Ok(connection)
    }

    async fn wrapped(&self, parameters: TlsParameters) -> Result<AsyncSmtpConnection, Failure> {
        let server = (self.host.as_str(), self.port);
        let (patience, hello) = (Some(self.timeout), &self.hello);
        AsyncSmtpConnection::connect_tokio1(server, patience, hello, Some(parameters), None)
            .await
            .map_err(|error| of_server(&error))
    }

    async fn plain(&self) -> Result<AsyncSmtpConnection, Failure> {
        let unreachable = |_: io::Error| Failure::of_server("unreachable");
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        let stream = stream.map_err(unreachable)?;
        // A letter and the dot that ends it are written one after the other. The dot would wait until
        // the server has acknowledged the letter, which Linux puts off for 40 ms.
        stream.set_nodelay(true).map_err(unreachable)?;
        AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello)
            .await
            .map_err(|error| of_server(&error))
    }

    /// A connection that was kept and still stands, the last used first.
    async fn rested(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let (mut connection, since) = self.idle().pop()?;
            let rested = since.elapsed();
            if rested < RESTED || (rested < STALE && connection.test_connected().await) {
                return Some(connection);
            }
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(AsyncSmtpConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// A failure before the letter was named.
fn of_server(error: &Error) -> Failure {
    Failure::of_server(cause(error, "unreachable"))
}

/// A failure of a letter: whose fault is it?
fn of_letter(error: &Error) -> Failure {
    let code = error.status().map(u16::from);
    let verdict = match code {
        // RFC 5321 §4.2.3: it closes the connection, whatever was asked.
        Some(421) | None => Verdict::Failure,
        // Its storage is full, or it wants fewer at once.
        Some(452) => Verdict::Throttled,
        // It is well, and says no to this one.
        Some(_) => Verdict::Success,
    };
    Failure {
        cause: cause(error, "connection_lost"),
        for_good: error.is_permanent(),
        verdict,
    }
}

/// A word without the server's own, which may name people; `otherwise` when there was no answer.
fn cause(error: &Error, otherwise: &'static str) -> Cause {
    match error.status() {
        Some(code) => Cause::reply(code.into()),
        None if error.is_tls() => "tls".into(),
        None if error.is_timeout() => "timeout".into(),
        None if error.is_client() => "unsupported".into(),
        None => otherwise.into(),
    }
}
