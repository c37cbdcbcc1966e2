//! Accounts by the thousand, written past the service: nobody here signs in.

use lyceum_contracts::role::Role;
use lyceum_contracts::user::AccountStatus;
use lyceum_testing::database::{Engine, TestDatabase};
use sea_orm::{ConnectionTrait, DatabaseConnection};

/// An account as a list shows it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) email: String,
    pub(crate) full_name: String,
    pub(crate) role: Role,
    pub(crate) status: AccountStatus,
    /// Seconds of a certain minute, 0 to 59.
    pub(crate) second: u32,
}

impl Account {
    pub(crate) fn named(full_name: &str, email: &str) -> Self {
        Self {
            email: email.to_owned(),
            full_name: full_name.to_owned(),
            role: Role::Student,
            status: AccountStatus::Active,
            second: 0,
        }
    }

    pub(crate) fn folded_name(&self) -> String {
        self.full_name
            .chars()
            .flat_map(char::to_lowercase)
            .collect()
    }

    fn values(&self, engine: Engine) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let kind = match engine {
            Engine::Sqlite => "",
            Engine::Postgres => "timestamptz ",
        };
        let at = format!("{kind}'2026-01-02T03:04:{:02}.000000Z'", self.second);
        let texts = [
            self.email.clone(),
            self.email.to_lowercase(),
            self.full_name.clone(),
            self.folded_name(),
            "!".to_owned(),
            self.role.to_string(),
            self.status.to_string(),
        ];
        format!(
            "({}, 1, 1, {at}, {at})",
            texts.map(|text| quoted(&text)).join(", ")
        )
    }
}

const COLUMNS: &str = "email, email_folded, full_name, full_name_folded, password_hash, role, \
                       status, version, token_version, created_at, updated_at";

/// Writes accounts, in this order.
pub(crate) async fn write(database: &TestDatabase, db: &DatabaseConnection, accounts: &[Account]) {
    for batch in accounts.chunks(500) {
        let rows: Vec<_> = batch
            .iter()
            .map(|account| account.values(database.engine()))
            .collect();
        let insert = format!("INSERT INTO users ({COLUMNS}) VALUES {}", rows.join(", "));
        db.execute_unprepared(&insert).await.unwrap();
    }
}

/// Writes `count` accounts with long names, all alike but for the number.
pub(crate) async fn write_many(database: &TestDatabase, db: &DatabaseConnection, count: usize) {
    let name = "ü".repeat(190);
    let account = |number| {
        Account::named(
            &format!("{name} {number}"),
            &format!("person{number}@example.org"),
        )
    };
    write(database, db, &(0..count).map(account).collect::<Vec<_>>()).await;
}
