//! Queries on accounts.

use lyceum_chassis::database::DbErr;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::AccountStatus;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Select, SelectGetableTuple, Selector,
};

use super::Email;
use super::listing::{Filter, Listing};
use super::view::{Account, COLUMNS, Columns};
use crate::entity::user::{ACTIVE_ADMIN, ActiveModel, Column, Entity, Model};
use crate::keys::revoke;

/// The account with this id, whatever became of it.
pub(crate) async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// The account with this id, unless it was deleted: what routes answer from.
pub(crate) async fn find_visible(
    db: &impl ConnectionTrait,
    id: UserId,
) -> Result<Option<Account>, DbErr> {
    let account = shown(visible().filter(Column::Id.eq(id))).one(db).await?;
    Ok(account.map(Account::from))
}

/// Every account but the deleted ones, of which nothing is left but an id.
fn visible() -> Select<Entity> {
    Entity::find().filter(Column::Status.ne(AccountStatus::Deleted))
}

/// Reads what is shown, column by column: by their names it would be most of the work of a list.
fn shown(accounts: Select<Entity>) -> Selector<SelectGetableTuple<Columns>> {
    accounts.select_only().columns(COLUMNS).into_tuple()
}

/// What is shown of `accounts`, in their order.
pub(super) async fn show_all(
    db: &impl ConnectionTrait,
    accounts: Select<Entity>,
) -> Result<Vec<Account>, DbErr> {
    let accounts = shown(accounts).all(db).await?;
    Ok(accounts.into_iter().map(Account::from).collect())
}

/// The account with this id, unless it was deleted, held against other writers until the transaction ends.
pub(crate) async fn lock(db: &impl ConnectionTrait, id: UserId) -> Result<Option<Model>, DbErr> {
    // SQLite has no row locks and needs none: a writing transaction is alone from its beginning.
    visible()
        .filter(Column::Id.eq(id))
        .lock_exclusive()
        .one(db)
        .await
}

/// These accounts and every active admin, by id, held against other writers until the transaction
/// ends.
pub(super) async fn lock_with_admins(
    db: &impl ConnectionTrait,
    ids: &[UserId],
) -> Result<Vec<Model>, DbErr> {
    let wanted = Condition::any()
        .add(Column::Id.is_in(ids.iter().copied()))
        .add(Expr::cust(ACTIVE_ADMIN));
    Entity::find()
        .filter(wanted)
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(db)
        .await
}

/// The account with this address, in whatever case.
pub(crate) async fn find_by_email(
    db: &impl ConnectionTrait,
    email: &Email,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::EmailFolded.eq(email.folded()))
        .one(db)
        .await
}

/// The accounts with these ids, by id; unknown ones are left out.
pub(crate) async fn find_all(
    db: &impl ConnectionTrait,
    ids: Vec<UserId>,
) -> Result<Vec<Account>, DbErr> {
    let wanted = visible().filter(Column::Id.is_in(ids));
    show_all(db, wanted.order_by_asc(Column::Id)).await
}

/// The accounts of a listing in its order, and one more.
pub(crate) async fn list(
    db: &impl ConnectionTrait,
    listing: &Listing,
) -> Result<Vec<Account>, DbErr> {
    let matching = listing.filter.choose(visible());
    show_all(db, listing.part.select(matching)).await
}

/// How many accounts match.
pub(crate) async fn count(db: &impl ConnectionTrait, filter: &Filter) -> Result<u64, DbErr> {
    filter.choose(visible()).count(db).await
}

/// The next accounts that match, by id.
pub(crate) async fn list_after(
    db: &impl ConnectionTrait,
    filter: &Filter,
    after: Option<UserId>,
    limit: u64,
) -> Result<Vec<Account>, DbErr> {
    let mut matching = filter.choose(visible());
    if let Some(after) = after {
        matching = matching.filter(Column::Id.gt(after));
    }
    show_all(db, matching.order_by_asc(Column::Id).limit(limit)).await
}

/// Writes a new account.
pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    account: ActiveModel,
) -> Result<Model, DbErr> {
    account.insert(db).await
}

/// Writes the fields that were set. A higher `token_version` calls in the tokens issued before.
pub(crate) async fn update(
    db: &impl ConnectionTrait,
    account: ActiveModel,
) -> Result<Model, DbErr> {
    let outdates_tokens = account.token_version.is_set();
    let account = account.update(db).await?;
    if outdates_tokens {
        let version = (account.id, account.token_version);
        revoke::versions_below(db, &[version], account.updated_at).await?;
    }
    Ok(account)
}
