//! Queries on what people have chosen about their letters.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use lyceum_chassis::database::{Kind, Rows};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::preferences::Digest;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};
use time::OffsetDateTime;
use uuid::Uuid;

use super::domain::Topic;
use super::rhythm::{QuietHours, Rhythm};
use crate::entity::{mail_mute, mail_reader};
use crate::mail::Locale;

/// How somebody reads letters; the default is of who has never chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) locale: Option<Locale>,
    /// What they want no letters of.
    pub(crate) muted: HashSet<Topic>,
    /// When letters that can wait may come.
    pub(crate) rhythm: Rhythm,
    /// None before the first letter that needs one, and before the first choice.
    pub(crate) unsubscribe_token: Option<String>,
}

impl Choices {
    /// How long a letter about `topic` that was caused then has to wait yet, if it does.
    pub(crate) fn wait(
        &self,
        topic: Topic,
        caused_at: OffsetDateTime,
        now: OffsetDateTime,
    ) -> Option<Duration> {
        let waits = topic.is_mutable();
        waits.then(|| self.rhythm.wait(caused_at, now)).flatten()
    }

    /// Whether letters about `topic` go together.
    pub(crate) fn gathers(&self, topic: Topic) -> bool {
        topic.is_mutable() && self.rhythm.digest != Digest::Off && !self.muted.contains(&topic)
    }
}

/// What each of `users` has chosen; who never chose is left out.
pub(crate) async fn choices(
    db: &impl ConnectionTrait,
    users: &[UserId],
) -> Result<HashMap<UserId, Choices>, DbErr> {
    let mut chosen = HashMap::<UserId, Choices>::new();
    let readers = mail_reader::Entity::find()
        .filter(mail_reader::Column::UserId.is_in(users.iter().copied()))
        .all(db)
        .await?;
    for reader in readers {
        let choices = chosen.entry(reader.user_id).or_default();
        choices.locale = reader.locale.as_deref().and_then(Locale::named);
        let quiet = reader.quiet_from.zip(reader.quiet_until);
        choices.rhythm = Rhythm {
            digest: reader.digest,
            quiet: quiet.map(|(from, until)| QuietHours { from, until }),
            utc_offset_minutes: reader.utc_offset_minutes,
        };
        choices.unsubscribe_token = Some(reader.unsubscribe_token);
    }
    let mutes = mail_mute::Entity::find()
        .filter(mail_mute::Column::UserId.is_in(users.iter().copied()))
        .all(db)
        .await?;
    for mute in mutes {
        if let Some(topic) = Topic::named(&mute.topic) {
            chosen.entry(mute.user_id).or_default().muted.insert(topic);
        }
    }
    Ok(chosen)
}

/// Gives each of `users` a token, unless they have one or are erased.
pub(crate) async fn give_tokens(db: &impl ConnectionTrait, users: &[UserId]) -> Result<(), DbErr> {
    let rows = users
        .iter()
        .map(|user| [user.get().into(), random_token().into()]);
    let rows = Rows::new([("user_id", Kind::Integer), ("token", Kind::Text)], rows);
    let statement = rows.statement(db.get_database_backend(), [], |rows| {
        format!(
            "INSERT INTO mail_readers (user_id, unsubscribe_token) \
             SELECT user_id, token FROM {rows} WHERE NOT EXISTS (SELECT 1 FROM recipients \
             WHERE recipients.user_id = given.user_id AND erased_at IS NOT NULL) \
             ON CONFLICT (user_id) DO NOTHING"
        )
    })?;
    db.execute_raw(statement).await.map(drop)
}

/// Writes down all that somebody has chosen.
pub(super) async fn put(
    transaction: &impl ConnectionTrait,
    user: UserId,
    choices: &Choices,
) -> Result<(), DbErr> {
    let rhythm = &choices.rhythm;
    let reader = mail_reader::ActiveModel {
        user_id: Set(user),
        locale: Set(choices.locale.map(|locale| locale.as_str().to_owned())),
        digest: Set(rhythm.digest),
        quiet_from: Set(rhythm.quiet.map(|quiet| quiet.from)),
        quiet_until: Set(rhythm.quiet.map(|quiet| quiet.until)),
        utc_offset_minutes: Set(rhythm.utc_offset_minutes),
        unsubscribe_token: Set(random_token()),
    };
    // The token they have stays: it stands in letters.
    let all_but_the_token = OnConflict::column(mail_reader::Column::UserId)
        .update_columns([
            mail_reader::Column::Locale,
            mail_reader::Column::Digest,
            mail_reader::Column::QuietFrom,
            mail_reader::Column::QuietUntil,
            mail_reader::Column::UtcOffsetMinutes,
        ])
        .to_owned();
    mail_reader::Entity::insert(reader)
        .on_conflict(all_but_the_token)
        .exec_without_returning(transaction)
        .await?;
    mail_mute::Entity::delete_many()
        .filter(mail_mute::Column::UserId.eq(user))
        .exec(transaction)
        .await?;
    for topic in &choices.muted {
        mute(transaction, user, *topic).await?;
    }
    Ok(())
}

/// Whose token it is.
pub(super) async fn find_by_token(
    db: &impl ConnectionTrait,
    token: &str,
) -> Result<Option<UserId>, DbErr> {
    let reader = mail_reader::Entity::find()
        .filter(mail_reader::Column::UnsubscribeToken.eq(token))
        .one(db)
        .await?;
    Ok(reader.map(|reader| reader.user_id))
}

/// Ends the letters of one topic to a person; again changes nothing.
pub(super) async fn mute(
    db: &impl ConnectionTrait,
    user: UserId,
    topic: Topic,
) -> Result<(), DbErr> {
    let mute = mail_mute::ActiveModel {
        user_id: Set(user),
        topic: Set(topic.as_str().to_owned()),
    };
    mail_mute::Entity::insert(mute)
        .on_conflict_do_nothing()
        .exec_without_returning(db)
        .await
        .map(drop)
}

/// Forgets what a person has chosen.
pub(crate) async fn erase(db: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    mail_mute::Entity::delete_many()
        .filter(mail_mute::Column::UserId.eq(user))
        .exec(db)
        .await?;
    mail_reader::Entity::delete_many()
        .filter(mail_reader::Column::UserId.eq(user))
        .exec(db)
        .await
        .map(drop)
}

/// 122 random bits: not to be guessed.
fn random_token() -> String {
    Uuid::new_v4().simple().to_string()
}
