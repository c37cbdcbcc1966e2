//! Queries on many accounts: one statement each, however many there are.

use std::collections::{HashMap, HashSet};

use lyceum_chassis::database::{DbErr, Kind, Rows};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::role::Role;
use lyceum_contracts::user::AccountStatus;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QueryResult,
    QuerySelect,
};
use time::OffsetDateTime;

use super::opening::Opening;
use crate::entity::user::{Column, Entity, Model, fold_name};

/// Opens the accounts whose address has none yet; gives the ids of those, by folded address.
///
/// Addresses are taken in the same order by everybody, so that two who want some of the same wait
/// for one another and not in a circle.
pub(super) async fn insert(
    db: &impl ConnectionTrait,
    accounts: &[&Opening],
    now: OffsetDateTime,
) -> Result<HashMap<String, UserId>, DbErr> {
    if accounts.is_empty() {
        return Ok(HashMap::new());
    }
    let mut accounts = accounts.to_vec();
    accounts.sort_unstable_by_key(|account| account.address());
    let columns = [
        "email",
        "email_folded",
        "full_name",
        "full_name_folded",
        "password_hash",
        "role",
        "status",
    ];
    let rows = accounts.iter().map(|account| {
        [
            account.email.typed().into(),
            account.email.folded().into(),
            account.full_name.as_str().into(),
            fold_name(account.full_name.as_str()).into(),
            account.password_hash.as_str().into(),
            account.role.as_str().into(),
            account.status.as_str().into(),
        ]
    });
    let rows = Rows::new(columns.map(|name| (name, Kind::Text)), rows);
    let statement = rows.statement(db.get_database_backend(), [now.into()], |rows| {
        let columns = columns.join(", ");
        format!(
            "INSERT INTO users ({columns}, version, token_version, created_at, updated_at) \
             SELECT {columns}, 1, 1, $1, $1 FROM {rows} WHERE true ORDER BY place \
             ON CONFLICT (email_folded) DO NOTHING RETURNING id, email_folded"
        )
    })?;
    let inserted = db.query_all_raw(statement).await?;
    // In no order that either engine promises, so by what is unique.
    let entry = |row: QueryResult| Ok((row.try_get_by_index(1)?, row.try_get_by_index(0)?));
    inserted.into_iter().map(entry).collect()
}

/// Those of the folded addresses that have an account.
pub(super) async fn taken(
    db: &impl ConnectionTrait,
    addresses: impl IntoIterator<Item = &str>,
) -> Result<HashSet<String>, DbErr> {
    let addresses = addresses.into_iter().map(|address| [address.into()]);
    let rows = Rows::new([("address", Kind::Text)], addresses);
    let statement = rows.statement(db.get_database_backend(), [], |rows| {
        format!("SELECT email_folded FROM {rows} JOIN users ON email_folded = address")
    })?;
    let rows = db.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| row.try_get("", "email_folded"))
        .collect()
}

/// The accounts with these ids, and every admin who may sign in if `admins` says so, held against
/// other writers until the transaction ends. Deleted ones are left out.
///
/// They are held in the order of their ids, as by everybody who holds several.
pub(super) async fn lock(
    db: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = UserId>,
    admins: bool,
) -> Result<Vec<Model>, DbErr> {
    let ids: Vec<UserId> = ids.into_iter().collect();
    let mut wanted = Condition::any().add(Column::Id.is_in(ids));
    if admins {
        let running = Condition::all()
            .add(Column::Role.eq(Role::Admin))
            .add(Column::Status.eq(AccountStatus::Active));
        wanted = wanted.add(running);
    }
    Entity::find()
        .filter(wanted)
        .filter(Column::Status.ne(AccountStatus::Deleted))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(db)
        .await
}

/// Writes what can change of accounts.
pub(super) async fn update(
    db: &impl ConnectionTrait,
    accounts: &[&Model],
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    if accounts.is_empty() {
        return Ok(());
    }
    let columns = [
        ("id", Kind::Integer),
        ("full_name", Kind::Text),
        ("full_name_folded", Kind::Text),
        ("role", Kind::Text),
        ("status", Kind::Text),
        ("version", Kind::Integer),
        ("token_version", Kind::Integer),
    ];
    let rows = accounts.iter().map(|account| {
        [
            account.id.get().into(),
            account.full_name.as_str().into(),
            fold_name(&account.full_name).into(),
            account.role.as_str().into(),
            account.status.as_str().into(),
            account.version.into(),
            account.token_version.into(),
        ]
    });
    let rows = Rows::new(columns, rows);
    let statement = rows.statement(db.get_database_backend(), [now.into()], |rows| {
        let set = columns.map(|(name, _)| format!("{name} = given.{name}"));
        let set = set[1..].join(", ");
        format!("UPDATE users SET {set}, updated_at = $1 FROM {rows} WHERE users.id = given.id")
    })?;
    db.execute_raw(statement).await.map(drop)
}
