//! Letters: caused with an event, written when their turn comes, sent until a server has them.
//!
//! A letter is a row, written in the transaction of the event that causes it ([`Mails::enqueue`]).
//! A [`Sender`] of any replica claims what is due, asks the user service where it goes, writes it
//! from a template in its reader's language, and hands it to a mail server or puts it in a folder.
//!
//! # Promises
//!
//! - **At least once, and known as one.** The `Message-ID` is made with the row. A letter is sent
//!   again when the process ended, or the server fell silent, between the server's acceptance and
//!   our memory of it; both copies have the same `Message-ID`.
//! - **Nothing secret, nobody's address at rest.** The row has ids, and what was published. Where a
//!   letter goes, and the token in it, are asked for when it is written: each copy has a token of
//!   its own, and any of them counts.
//! - **It ends.** What fails is tried again after the pauses of [`schedule`](crate::schedule), then it is dead, and
//!   listed for admins; what is refused for good is dead at once; what nobody wants any more is
//!   cancelled. What was not tried, because the mail server's breaker is open or the user service
//!   cannot be asked, or its reader wants it later, does not count.
//! - **Five at once** (`mail.concurrency`), however many wait.

mod claims;
mod commands;
mod gathering;
pub(crate) mod handlers;
mod letter;
mod links;
mod listing;
mod locale;
mod message;
mod metrics;
mod parcel;
mod report;
mod retention;
mod sender;
mod settings;
mod source;
mod store;
mod templates;
mod transport;
mod worker;

pub(crate) use self::commands::{ChangeError, Mails};
pub(crate) use self::letter::{Content, Letter};
pub(crate) use self::listing::Listing;
pub(crate) use self::locale::Locale;
pub(crate) use self::sender::Sender;
pub use self::settings::{MailSettings, Security, SmtpSettings, TransportKind};
pub(crate) use self::store::erase;
