//! What must hold.

use std::time::Duration;

use lyceum_resilience::breaker::BreakerSettings;

use crate::load::PER_SECOND;
use crate::record::{Answer, DEADLINE, Phase, Record, Sight, share};
use crate::scene::Scene;

/// What budgets of 10 % allow three hops, 1.1³ = 1.33, and room for their floor.
const AMPLIFICATION: f64 = 1.35;
/// A second of the ramp may have fewer answers than the one before by this share: calls are few
/// at first, and chosen at random.
const WOBBLE: f64 = 0.10;

/// Each claim, and whether it holds.
pub(crate) fn of(scene: &Scene, record: &Record) -> Vec<(bool, String)> {
    let mut claims = vec![
        amplification(record),
        deadline(record),
        healthy(record),
        end(record),
    ];
    if scene.breakers {
        claims.extend([probes(record), second_trip(record), ramp(record)]);
    }
    claims
}

fn amplification(record: &Record) -> (bool, String) {
    let sends = record.growth(record.span(Phase::Dead), |sight| sight.sends);
    let per_call = share(sends, record.of(Phase::Dead).count());
    (
        per_call <= AMPLIFICATION,
        format!(
            "{per_call:.3} sends at the last hop per call while it is dead, at most {AMPLIFICATION}"
        ),
    )
}

fn deadline(record: &Record) -> (bool, String) {
    let phases = [Phase::Healthy, Phase::Dead, Phase::Recovered];
    let p99 = phases
        .map(|phase| record.quantile(phase, 99))
        .into_iter()
        .max()
        .unwrap_or_default();
    (
        p99 <= DEADLINE,
        format!(
            "p99 at the first hop is {} ms in the worst phase, the deadline {} ms",
            p99.as_millis(),
            DEADLINE.as_millis()
        ),
    )
}

fn healthy(record: &Record) -> (bool, String) {
    // A call that began a moment before the last service died may have met it dead.
    let moment = Duration::from_millis(100);
    let (_, ends) = record.span(Phase::Healthy);
    let failed = record
        .of(Phase::Healthy)
        .filter(|call| call.at + moment < ends && call.answer != Answer::Status(200))
        .count();
    (
        failed == 0,
        format!("{failed} calls fail while all is well"),
    )
}

fn end(record: &Record) -> (bool, String) {
    let last = Duration::from_secs(2);
    let (_, ends) = record.span(Phase::Recovered);
    let failed = record
        .of(Phase::Recovered)
        .filter(|call| call.at + last > ends && call.answer != Answer::Status(200))
        .count();
    (
        failed == 0,
        format!("{failed} calls fail in the last two seconds"),
    )
}

fn probes(record: &Record) -> (bool, String) {
    let allowed = u64::from(BreakerSettings::default().probes);
    let probes = record.growth(record.span(Phase::Recovered), |sight| sight.probes);
    (
        probes <= allowed,
        format!("{probes} probes reach the last hop after it has recovered, {allowed} are allowed"),
    )
}

fn second_trip(record: &Record) -> (bool, String) {
    let opened = |sight: &Sight| sight.opened.iter().sum();
    let trips = record.growth(record.span(Phase::Recovered), opened);
    (
        trips == 0,
        format!("{trips} times a breaker opens after recovery"),
    )
}

/// From the first answer on, each second brings as many as the one before, or more.
fn ramp(record: &Record) -> (bool, String) {
    let (begins, ends) = record.span(Phase::Recovered);
    let mut answered = Vec::new();
    let mut from = begins;
    while from + Duration::from_secs(1) <= ends {
        let within = |at: Duration| (from..from + Duration::from_secs(1)).contains(&at);
        answered.push(
            record
                .of(Phase::Recovered)
                .filter(|call| within(call.at) && call.answer == Answer::Status(200))
                .count(),
        );
        from += Duration::from_secs(1);
    }
    let (mut highest, mut falls) = (0.0_f64, 0);
    for count in &answered {
        #[expect(clippy::cast_precision_loss, reason = "a few hundred a second")]
        let count = *count as f64;
        falls += u32::from(count < highest - (WOBBLE * highest).max(5.0));
        highest = highest.max(count.min(f64::from(PER_SECOND)));
    }
    (
        falls == 0,
        format!("{falls} seconds of the ramp fall back; answered per second: {answered:?}"),
    )
}
