//! Lets time pass without waiting: what is kept becomes older.

use lyceum_testing::database::Engine;
use sea_orm::ConnectionTrait;
use time::Duration;

use crate::platform::Platform;

/// The times that decide about sessions.
const TIMES: [(&str, &[&str]); 2] = [
    ("sessions", &["opened_at", "last_seen_at", "expires_at"]),
    ("refresh_tokens", &["issued_at", "spent_at"]),
];

impl Platform {
    /// For sessions, this much time passes; access tokens are as old as they were.
    pub(crate) async fn passes(&self, time: Duration) {
        let database = self.app.database();
        let seconds = time.as_seconds_f64();
        let older = |column: &&str| match database.engine() {
            Engine::Sqlite => format!(
                "{column} = strftime('%Y-%m-%dT%H:%M:%f000Z', {column}, '-{seconds} seconds')"
            ),
            Engine::Postgres => format!("{column} = {column} - interval '{seconds} seconds'"),
        };
        let connection = database.connect().await;
        for (table, columns) in TIMES {
            let columns: Vec<_> = columns.iter().map(older).collect();
            let update = format!("UPDATE {table} SET {}", columns.join(", "));
            connection.execute_unprepared(&update).await.unwrap();
        }
    }
}
