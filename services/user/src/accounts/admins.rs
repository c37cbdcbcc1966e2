//! Somebody must be left who can run the platform.
//!
//! Whatever takes an admin away (another role, another status) first holds every active admin, so
//! that of two who take each other away one comes second, and sees what the first has done.

use lyceum_chassis::database::DbErr;
use lyceum_contracts::ids::UserId;
use sea_orm::ConnectionTrait;

use super::store;

/// Every active admin, held against other writers until the transaction ends.
#[derive(Debug)]
pub(crate) struct Admins(Vec<UserId>);

/// Holds every active admin, and the accounts that are about to change.
///
/// All in one statement and in one order: two who each hold one admin and wait for the other would
/// wait for ever.
pub(crate) async fn hold(
    transaction: &impl ConnectionTrait,
    changing: &[UserId],
) -> Result<Admins, DbErr> {
    let held = store::lock_with_admins(transaction, changing).await?;
    let admins = held.iter().filter(|account| account.is_active_admin());
    Ok(Admins(admins.map(|account| account.id).collect()))
}

impl Admins {
    /// Whether these were the last ones.
    pub(crate) fn are_gone_without(&self, leaving: &[UserId]) -> bool {
        !self.0.is_empty() && self.0.iter().all(|admin| leaving.contains(admin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: &[i64]) -> Vec<UserId> {
        let ids = numbers.iter().map(|number| (*number).try_into().unwrap());
        ids.collect()
    }

    #[test]
    fn only_the_last_admins_have_to_stay() {
        let admins = Admins(ids(&[1, 2]));
        assert!(!admins.are_gone_without(&ids(&[1])));
        assert!(!admins.are_gone_without(&ids(&[2, 3])));
        assert!(admins.are_gone_without(&ids(&[3, 2, 1])));
        assert!(!admins.are_gone_without(&ids(&[3])));
    }

    #[test]
    fn where_there_is_no_admin_nobody_else_has_to_stay() {
        assert!(!Admins(Vec::new()).are_gone_without(&ids(&[1])));
    }
}
