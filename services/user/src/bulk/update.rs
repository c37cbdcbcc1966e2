//! Changes many accounts, each for itself.

use lyceum_chassis::database::DbErr;
use lyceum_chassis::http::Answer;
use lyceum_chassis::idempotency::{Begun, Keyed, KeyedError};
use lyceum_contracts::bulk::BulkResults;
use lyceum_contracts::event::Event;
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::AccountStatus;
use sea_orm::ConnectionTrait;
use time::OffsetDateTime;

use super::changes::{Changed, apply, distinct, may_unmake_admin};
use super::domain::results;
use super::requests::Changes;
use super::store;
use crate::accounts::Account;
use crate::audit::{self, Action, Record};
use crate::keys::revoke;
use crate::sessions::{self, EndReason};
use crate::state::State;

/// Changes the accounts that are as their item has them, and promises `user.updated` for each.
pub(crate) async fn update_users(
    state: &State,
    admin: UserId,
    keyed: Keyed,
    Changes(items): Changes,
    now: OffsetDateTime,
) -> Result<Answer, KeyedError> {
    let transaction = match keyed.begin(&state.database, now).await? {
        Begun::First(transaction) => transaction,
        Begun::Again(answer) => return Ok(answer),
    };
    let changes = distinct(items);
    let wanted = || changes.iter().flatten();
    let admins = wanted().any(may_unmake_admin);
    let ids = wanted().map(|change| change.id);
    let accounts = store::lock(&transaction, ids, admins).await?;
    let verdicts = apply(changes, accounts, now);
    let changed = verdicts.iter().flatten().filter(|pair| pair.is_another());
    let changed: Vec<&Changed> = changed.collect();
    write(&transaction, &changed, admin, now).await?;
    let (changed, items) = (changed.len(), verdicts.len());

    let users = verdicts.into_iter();
    let users = users.map(|verdict| verdict.map(|pair| Account::from(pair.after).into()));
    let answer = Answer::multi_status(&BulkResults {
        items: results(200, users.collect()),
    });
    let answer = transaction.commit(answer).await?;
    state.outbox.wake();
    state.revocations.catch_up().await;
    tracing::info!(
        event = "users.bulk_updated",
        user.id = admin.get(),
        changed,
        items,
        "accounts changed in bulk"
    );
    Ok(answer)
}

/// Writes the changes with all that follows from them, one statement per table.
async fn write(
    transaction: &impl ConnectionTrait,
    changed: &[&Changed],
    admin: UserId,
    now: OffsetDateTime,
) -> Result<(), DbErr> {
    let after: Vec<_> = changed.iter().map(|pair| &pair.after).collect();
    store::update(transaction, &after, now).await?;
    let outdated = changed
        .iter()
        .filter(|pair| pair.after.token_version != pair.before.token_version);
    let outdated: Vec<_> = outdated
        .map(|pair| (pair.after.id, pair.after.token_version))
        .collect();
    revoke::versions_below(transaction, &outdated, now).await?;
    let events = after
        .iter()
        .map(|user| Event::UserUpdated { user_id: user.id });
    lyceum_outbox::push_all(transaction, &events.collect::<Vec<_>>()).await?;

    let disabled = changed
        .iter()
        .filter(|pair| pair.has_another_status() && pair.after.status == AccountStatus::Disabled);
    let disabled: Vec<UserId> = disabled.map(|pair| pair.after.id).collect();
    sessions::commands::end_all_of_each(transaction, &disabled, EndReason::Disabled, now).await?;

    let records = changed.iter().flat_map(|pair| {
        let status = match pair.after.status {
            AccountStatus::Disabled => Action::Disabled,
            _ => Action::Enabled,
        };
        let role = pair.has_another_role().then_some(Action::RoleChanged);
        let status = pair.has_another_status().then_some(status);
        let actions = role.into_iter().chain(status);
        actions.map(|action| Record {
            actor: Some(admin),
            subject: Some(pair.after.id),
            action,
        })
    });
    audit::record_all(transaction, records, now).await
}
