//! All accounts that match, as lines of JSON, in little memory.
//!
//! Pages follow one another by id. Each is one statement, read when the reader has taken the one
//! before it, so that neither a transaction nor a connection is held while somebody reads slowly,
//! and nothing is read for somebody who is gone. An account is told as it was when its page was
//! read; one that is there throughout is told once. An error ends the answer without its last
//! chunk (RFC 9112 §7.1), which no reader can take for the end.

use actix_web::web::Bytes;
use futures_util::stream::{self, Stream};
use lyceum_chassis::database::{Database, DbErr};
use lyceum_contracts::ids::UserId;
use lyceum_contracts::user::AdminUser;

use super::Filter;
use crate::accounts::Account;
use crate::accounts::store;

/// Accounts of one page, some 100 kB as lines.
const PAGE: u64 = 500;

/// The lines, page by page. The first page is read before the answer begins, so that a database
/// that is away is told by a problem.
pub(super) async fn lines(
    database: Database,
    filter: Filter,
    caller: UserId,
) -> Result<impl Stream<Item = Result<Bytes, DbErr>>, DbErr> {
    let first = store::list_after(&database, &filter, None, PAGE).await?;
    let walk = Walk {
        database,
        filter,
        next: Next::Read(first),
        record: Record {
            caller,
            accounts: 0,
            outcome: "abandoned",
        },
    };
    Ok(stream::try_unfold(walk, Walk::step))
}

/// An export under way.
struct Walk {
    database: Database,
    filter: Filter,
    next: Next,
    record: Record,
}

/// What is told next.
enum Next {
    /// These accounts.
    Read(Vec<Account>),
    /// Those behind this one, or all.
    After(UserId),
    /// Nothing.
    End,
}

impl Walk {
    async fn step(mut self) -> Result<Option<(Bytes, Self)>, DbErr> {
        let rows = match self.next {
            Next::Read(rows) => rows,
            Next::After(id) => {
                let page = store::list_after(&self.database, &self.filter, Some(id), PAGE).await;
                page.inspect_err(|error| self.record.failed(error))?
            }
            Next::End => Vec::new(),
        };
        let Some(last) = rows.last() else {
            self.record.outcome = "complete";
            return Ok(None);
        };
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        self.next = if count < PAGE {
            Next::End
        } else {
            Next::After(last.id)
        };
        self.record.accounts += count;
        Ok(Some((as_lines(rows), self)))
    }
}

fn as_lines(rows: Vec<Account>) -> Bytes {
    let mut lines = Vec::new();
    for user in rows.into_iter().map(AdminUser::from) {
        // Contract types are plain structs, which always serialise.
        lines.extend(serde_json::to_vec(&user).unwrap_or_default());
        lines.push(b'\n');
    }
    lines.into()
}

/// Says how an export ended, whoever ended it.
struct Record {
    caller: UserId,
    accounts: u64,
    outcome: &'static str,
}

impl Record {
    /// The answer has begun, so the log alone can be told why it ends.
    fn failed(&mut self, error: &DbErr) {
        self.outcome = "failed";
        tracing::error!(event = "users.export_failed", %error, "an export broke off");
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        tracing::info!(
            event = "users.exported",
            user.id = self.caller.get(),
            accounts = self.accounts,
            outcome = self.outcome,
            "accounts were exported"
        );
    }
}
