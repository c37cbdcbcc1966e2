//! Events that have had their effect are remembered until no sender can repeat them.
//!
//! A sender repeats an event as long as it has not noted that it was taken in, which it does at
//! once when the answer comes. So a repeat comes within a minute, or, if the sender was stopped
//! between the two, within a minute of its next start. The oldest sender that can start is one
//! whose database is restored from a backup: it repeats everything it had to tell then.

use lyceum_chassis::database::Database;
use lyceum_chassis::retention::Pruner;
use lyceum_chassis::settings::SettingsError;
use lyceum_outbox::intake;
use serde::{Deserialize, Serialize};

use crate::inbox::settings::{check_days, days};

/// Events that come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EventsSettings {
    /// How long one that has had its effect is remembered: longer than the age of any backup that a
    /// sender's database is restored from.
    pub keep_days: u64,
}

impl EventsSettings {
    /// Refuses what cannot work; names the key.
    pub(crate) fn check(self) -> Result<(), SettingsError> {
        check_days("events.keep_days", self.keep_days)
    }
}

/// Forgets events nobody repeats any more.
pub(crate) fn pruner(database: &Database, settings: EventsSettings) -> Pruner {
    intake::pruner(database, days(settings.keep_days))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lyceum_outbox::intake::{Seen, remember};
    use lyceum_testing::database::TestDatabase;
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::test_database::{connect, settings};

    #[tokio::test]
    async fn an_event_is_known_again_until_nobody_can_repeat_it() {
        let place = TestDatabase::create();
        let database = connect(&place).await;
        let settings = settings().service.events;
        let now = datetime!(2026-11-22 12:00 UTC);
        let keep = days(settings.keep_days);
        let (old, young) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let long_ago = now - keep - Duration::from_secs(1);
        remember(&database, [old], long_ago).await.unwrap();
        remember(&database, [young], now - keep).await.unwrap();
        let pruner = pruner(&database, settings);
        assert_eq!(pruner.prune(now).await.unwrap(), 1);
        let again = remember(&database, [young, old, old], now).await.unwrap();
        assert_eq!(again, [Seen::Before, Seen::Now, Seen::Before]);
        database.close().await;
    }
}
