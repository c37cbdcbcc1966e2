//! Asking for an announcement.

use lyceum_chassis::database::Database;
use lyceum_chassis::http::Answer;
use lyceum_chassis::idempotency::{Begun, Keyed, KeyedError};
use lyceum_contracts::ids::UserId;
use time::OffsetDateTime;
use tokio::sync::Notify;

use super::requests::NewAnnouncement;
use super::work::{Announce, Announcement};
use crate::jobs::commands::enqueue;

/// Writes the job that tells everybody, once per key.
pub(super) async fn post_announcement(
    database: &Database,
    bell: &Notify,
    keyed: Keyed,
    author: UserId,
    announcement: NewAnnouncement,
    now: OffsetDateTime,
) -> Result<Answer, KeyedError> {
    let transaction = match keyed.begin(database, now).await? {
        Begun::First(transaction) => transaction,
        Begun::Again(answer) => return Ok(answer),
    };
    let input = Announcement {
        title: announcement.title.into_inner(),
        text: announcement.text.into_inner(),
        roles: announcement.roles,
    };
    let job = enqueue::<Announce>(&transaction, author, &input, None, now).await?;
    let id = job.id;
    let answer = transaction.commit(job).await?;
    bell.notify_one();
    tracing::info!(
        event = "announcement.asked_for",
        job.id = id.get(),
        user.id = author.get(),
        "an announcement is on its way"
    );
    Ok(answer)
}
