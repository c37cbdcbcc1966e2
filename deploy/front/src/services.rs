//! The three services by name, and where each is found.

/// A service of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Accounts and sessions.
    User,
    /// Catalogue and enrolments.
    Course,
    /// Inbox and live streams.
    Notification,
}

impl Service {
    /// All of them, in the order of their ports.
    pub const ALL: [Self; 3] = [Self::User, Self::Course, Self::Notification];

    /// As telemetry and the network call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Course => "course",
            Self::Notification => "notification",
        }
    }
}

/// One base URL per service, such as `http://user:8001`: of their APIs, or of their operations.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Of the user service.
    pub user: String,
    /// Of the course service.
    pub course: String,
    /// Of the notification service.
    pub notification: String,
}

impl Addresses {
    /// That of one service.
    pub fn of(&self, service: Service) -> &str {
        match service {
            Service::User => &self.user,
            Service::Course => &self.course,
            Service::Notification => &self.notification,
        }
    }
}
