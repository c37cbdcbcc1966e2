//! Who is told: each event has its destinations, each destination its relay.

use lyceum_client::{ClientError, CourseClient, NotificationClient};
use lyceum_contracts::event::Event;
use lyceum_contracts::notification::{EventBatch, EventReceipt};

/// A service that takes events in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    Notification,
    Course,
}

impl Destination {
    /// Its short name, as it stands in the outbox and in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Notification => "notification",
            Self::Course => "course",
        }
    }

    /// The table: whom an event concerns.
    pub(crate) const fn of(event: &Event) -> &'static [Self] {
        match event {
            // Both keep something of the person.
            Event::UserDeleted { .. } => &[Self::Notification, Self::Course],
            Event::UserRegistered { .. }
            | Event::UserUpdated { .. }
            | Event::MailedLinkRequested { .. }
            | Event::AnnouncementPosted { .. }
            | Event::EnrolmentCreated { .. }
            | Event::EnrolmentDropped { .. }
            | Event::CourseUpdated { .. }
            | Event::CourseDeleted { .. } => &[Self::Notification],
        }
    }
}

/// One destination, and how it is called.
#[derive(Debug, Clone)]
pub enum Peer {
    /// The notification service.
    Notification(NotificationClient),
    /// The course service.
    Course(CourseClient),
}

impl Peer {
    pub(crate) const fn destination(&self) -> Destination {
        match self {
            Self::Notification(_) => Destination::Notification,
            Self::Course(_) => Destination::Course,
        }
    }

    pub(crate) async fn publish(&self, batch: &EventBatch) -> Result<EventReceipt, ClientError> {
        match self {
            Self::Notification(client) => client.publish(batch).await,
            Self::Course(client) => client.publish(batch).await,
        }
    }
}

impl From<NotificationClient> for Peer {
    fn from(client: NotificationClient) -> Self {
        Self::Notification(client)
    }
}

impl From<CourseClient> for Peer {
    fn from(client: CourseClient) -> Self {
        Self::Course(client)
    }
}
