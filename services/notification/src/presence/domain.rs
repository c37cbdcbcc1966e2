//! What is said of somebody, to whom. Pure.

use std::time::Duration;

use lyceum_contracts::ids::UserId;
use lyceum_contracts::presence::Presence;
use time::OffsetDateTime;

use crate::entity::presence_replica;

/// What is written down of one person.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// When they left last, in minutes since 1970.
    pub(super) seen_minute: Option<i64>,
    pub(super) hidden: bool,
    /// Those on which they have a seat, also if one has been silent for too long.
    pub(super) replicas: Vec<presence_replica::Model>,
}

/// What is said to who may see through, or not, what people hide.
pub(super) fn presence(
    user_id: UserId,
    traces: &Traces,
    sees_hidden: bool,
    now: OffsetDateTime,
) -> Presence {
    if traces.hidden && !sees_hidden {
        return Presence {
            user_id,
            online: false,
            last_seen_at: None,
        };
    }
    let online = traces.replicas.iter().any(|replica| replica.until > now);
    // Of a replica that was killed nobody knows more than when it last lived.
    let beats = traces
        .replicas
        .iter()
        .map(|replica| minute(replica.beat_at));
    let left = beats.chain(traces.seen_minute).max();
    let seen = if online { Some(minute(now)) } else { left };
    Presence {
        user_id,
        online,
        last_seen_at: seen.map(moment),
    }
}

/// Whole minutes since 1970.
pub(super) const fn minute(moment: OffsetDateTime) -> i64 {
    moment.unix_timestamp().div_euclid(60)
}

fn moment(minute: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::from_mins(minute.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-22 12:30:59.9 UTC);

    fn replica(beat_at: OffsetDateTime, until: OffsetDateTime) -> presence_replica::Model {
        presence_replica::Model {
            id: 1,
            beat_at,
            until,
        }
    }

    fn told(traces: &Traces, sees_hidden: bool) -> (bool, Option<OffsetDateTime>) {
        let said = presence(1.try_into().unwrap(), traces, sees_hidden, NOW);
        (said.online, said.last_seen_at)
    }

    #[test]
    fn somebody_is_there_as_long_as_a_replica_with_a_seat_of_theirs_lives() {
        let beat = datetime!(2026-11-22 12:28:30 UTC);
        let mut traces = Traces::default();
        assert_eq!(told(&traces, false), (false, None));
        traces.seen_minute = Some(minute(datetime!(2026-11-22 12:10 UTC)));
        let left = datetime!(2026-11-22 12:10 UTC);
        assert_eq!(told(&traces, false), (false, Some(left)));
        traces.replicas = vec![replica(beat, NOW)];
        let silent = datetime!(2026-11-22 12:28 UTC);
        assert_eq!(told(&traces, false), (false, Some(silent)));
        traces
            .replicas
            .push(replica(beat, NOW + Duration::from_secs(1)));
        let this_minute = datetime!(2026-11-22 12:30 UTC);
        assert_eq!(told(&traces, false), (true, Some(this_minute)));
    }

    #[test]
    fn who_is_hidden_is_like_nobody_to_others() {
        let traces = Traces {
            seen_minute: Some(1),
            hidden: true,
            replicas: vec![replica(NOW, NOW + Duration::from_secs(1))],
        };
        assert_eq!(told(&traces, false), told(&Traces::default(), false));
        assert!(told(&traces, true).0);
    }
}
