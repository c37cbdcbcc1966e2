//! Queries on what people have chosen about their letters.

use std::collections::{HashMap, HashSet};

use lyceum_chassis::database::{Kind, Rows};
use lyceum_contracts::ids::UserId;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};
use uuid::Uuid;

use super::domain::Topic;
use crate::entity::{mail_mute, mail_reader};
use crate::mail::Locale;

/// How somebody reads letters; the default is of who has never chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) locale: Option<Locale>,
    /// What they want no letters of.
    pub(crate) muted: HashSet<Topic>,
    /// None before the first letter that needs one, and before the first choice.
    pub(crate) unsubscribe_token: Option<String>,
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
    locale: Option<Locale>,
    muted: &HashSet<Topic>,
) -> Result<(), DbErr> {
    let reader = mail_reader::ActiveModel {
        user_id: Set(user),
        locale: Set(locale.map(|locale| locale.as_str().to_owned())),
        unsubscribe_token: Set(random_token()),
    };
    // The token they have stays: it stands in letters.
    let locale_alone = OnConflict::column(mail_reader::Column::UserId)
        .update_column(mail_reader::Column::Locale)
        .to_owned();
    mail_reader::Entity::insert(reader)
        .on_conflict(locale_alone)
        .exec_without_returning(transaction)
        .await?;
    mail_mute::Entity::delete_many()
        .filter(mail_mute::Column::UserId.eq(user))
        .exec(transaction)
        .await?;
    for topic in muted {
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
