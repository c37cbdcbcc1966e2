//! The tables as sea-orm sees them. Rules live with the domain, names of constraints in `migration`.

pub(crate) mod broadcast;
pub(crate) mod course_news;
pub(crate) mod course_sequence;
pub(crate) mod mail;
pub(crate) mod mail_mute;
pub(crate) mod mail_reader;
pub(crate) mod notification;
pub(crate) mod notification_change;
pub(crate) mod presence;
pub(crate) mod presence_replica;
pub(crate) mod presence_seat;
pub(crate) mod recipient;
pub(crate) mod stream_ticket;
pub(crate) mod webhook;
pub(crate) mod webhook_delivery;
