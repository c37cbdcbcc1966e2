//! Queries on audit entries.

use lyceum_chassis::database::{DbErr, Kind, Rows};
use lyceum_contracts::ids::UserId;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    QueryFilter, QueryOrder, QuerySelect, Set,
};
use time::OffsetDateTime;

use super::Action;
use super::listing::Listing;
use crate::entity::audit_entry::{ActiveModel, Column, Entity, Model};

/// What happened, to be kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    /// Who did it; `None` when nobody was signed in.
    pub(crate) actor: Option<UserId>,
    /// Whose account it is about; `None` when it is about none.
    pub(crate) subject: Option<UserId>,
    pub(crate) action: Action,
}

/// Keeps what happened. Pass the transaction of the effect, so that both are there or neither.
pub(crate) async fn record(
    db: &impl ConnectionTrait,
    record: Record,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let entry = ActiveModel {
        id: ActiveValue::NotSet,
        at: Set(now),
        action: Set(record.action),
        actor_id: Set(record.actor),
        subject_id: Set(record.subject),
    };
    entry.insert(db).await.map(drop)
}

/// As [`record`], for many in one statement.
pub(crate) async fn record_all(
    db: &impl ConnectionTrait,
    records: impl IntoIterator<Item = Record>,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let rows = records.into_iter().map(|record| {
        let id = |user: Option<UserId>| user.map(UserId::get).into();
        let action = record.action.as_str();
        [action.into(), id(record.actor), id(record.subject)]
    });
    let columns = [
        ("action", Kind::Text),
        ("actor_id", Kind::Integer),
        ("subject_id", Kind::Integer),
    ];
    let rows = Rows::new(columns, rows);
    let statement = rows.statement(db.get_database_backend(), [now.into()], |rows| {
        format!(
            "INSERT INTO audit_entries (at, action, actor_id, subject_id) \
             SELECT $1, action, actor_id, subject_id FROM {rows} ORDER BY place"
        )
    })?;
    db.execute_raw(statement).await.map(drop)
}

/// One page, newest first, and one row more.
pub(super) async fn list(db: &impl ConnectionTrait, listing: Listing) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().order_by_desc(Column::Id);
    if let Some(user) = listing.user {
        let concerned = Condition::any()
            .add(Column::ActorId.eq(user))
            .add(Column::SubjectId.eq(user));
        query = query.filter(concerned);
    }
    if let Some(action) = listing.action {
        query = query.filter(Column::Action.eq(action));
    }
    if let Some(since) = listing.since {
        query = query.filter(Column::At.gte(since));
    }
    if let Some(after) = listing.window.after {
        query = query.filter(Column::Id.lt(after));
    }
    let window = listing.window;
    query.offset(window.skip).limit(window.rows()).all(db).await
}
