//! Pages of a list that is walked over by id.

use lyceum_contracts::ids::UserId;

use crate::{ClientError, Malformation};

/// Whether a page goes on after `after` in the order of ids, and the next one after it: then a
/// walk over such pages meets nobody twice, and ends.
pub(crate) fn in_order(
    after: Option<UserId>,
    ids: impl IntoIterator<Item = UserId>,
    next_after: Option<UserId>,
) -> Result<(), ClientError> {
    let mut last = after;
    for id in ids {
        if last.is_some_and(|last| id <= last) {
            return Err(ClientError::Malformed(Malformation::OutOfOrder));
        }
        last = Some(id);
    }
    if next_after.is_some() && (next_after != last || last == after) {
        return Err(ClientError::Malformed(Malformation::OutOfOrder));
    }
    Ok(())
}
