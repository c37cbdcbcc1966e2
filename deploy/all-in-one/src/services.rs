//! The three services, and the one place that knows their crates.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ValueEnum;
use lyceum_chassis::cli::run_with;

/// A service of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Service {
    /// Accounts and sessions.
    User,
    /// Catalogue and enrolments.
    Course,
    /// Inbox and live streams.
    Notification,
}

impl Service {
    /// All of them, in the order of their ports.
    pub(crate) const ALL: [Self; 3] = [Self::User, Self::Course, Self::Notification];

    /// In the order in which they find what they need: user's keys when they start, and somebody
    /// to tell of the first event soon after.
    pub(crate) const START_ORDER: [Self; 3] = [Self::User, Self::Notification, Self::Course];

    /// As telemetry and the settings call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Course => "course",
            Self::Notification => "notification",
        }
    }

    /// The peers it calls. Whoever checks access tokens needs user's keys; whoever has events
    /// tells notification.
    pub(crate) const fn peers(self) -> &'static [Self] {
        match self {
            Self::User => &[Self::Course, Self::Notification],
            Self::Course => &[Self::User, Self::Notification],
            Self::Notification => &[Self::User, Self::Course],
        }
    }

    /// Is this service, with the command line its own binary would take.
    pub(crate) fn run(self, arguments: Vec<OsString>) -> ExitCode {
        let program = OsString::from(format!("lyceum-{}", self.name()));
        let line = std::iter::once(program).chain(arguments);
        match self {
            Self::User => run_with::<lyceum_user::App>(line),
            Self::Course => run_with::<lyceum_course::App>(line),
            Self::Notification => run_with::<lyceum_notification::App>(line),
        }
    }
}
