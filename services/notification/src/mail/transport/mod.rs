//! How a letter leaves: to a mail server, or as a file.

mod files;
mod smtp;

use lettre::Message;
use lyceum_chassis::settings::SettingsError;
use lyceum_resilience::breaker::Verdict;

use self::files::Folder;
use self::smtp::Server;
use super::settings::{MailSettings, TransportKind};
use crate::schedule::{Cause, Outcome};

/// A way out. Make it where letters are sent: its connections end with it.
#[derive(Debug)]
pub(super) enum Transport {
    Files(Folder),
    Smtp(Server),
}

/// Why a letter did not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    /// Whether it is the letter that is refused, which no other attempt changes.
    pub(super) for_good: bool,
    /// What it says of the server.
    pub(super) verdict: Verdict,
}

impl Failure {
    /// The server is not well, or not there.
    fn of_server(cause: impl Into<Cause>) -> Self {
        Self {
            cause: cause.into(),
            for_good: false,
            verdict: Verdict::Failure,
        }
    }

    /// It did not answer in time.
    pub(super) fn timeout() -> Self {
        Self::of_server("timeout")
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        if failure.for_good {
            Self::Refused(failure.cause)
        } else {
            Self::Failed(failure.cause)
        }
    }
}

impl Transport {
    /// Prepares it; connects to nobody.
    ///
    /// # Errors
    /// Names the setting.
    pub(super) fn open(settings: &MailSettings) -> Result<Self, SettingsError> {
        match settings.transport {
            TransportKind::Files => Ok(Self::Files(Folder::new(settings.folder.clone()))),
            TransportKind::Smtp => Server::new(settings).map(Self::Smtp),
        }
    }

    /// Hands a letter over. `name` is what tells it from every other, the same at each attempt.
    pub(super) async fn send(&self, name: &str, message: &Message) -> Result<(), Failure> {
        match self {
            Self::Files(folder) => folder.write(name, message).await,
            Self::Smtp(server) => server.send(message).await,
        }
    }
}
