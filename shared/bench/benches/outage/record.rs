//! What was seen during a scene, and the table made of it.

use std::fmt;
use std::time::Duration;

use lyceum_resilience::breaker::Snapshot;

/// What a caller of the first hop grants.
pub(crate) const DEADLINE: Duration = Duration::from_millis(1_500);

/// The parts of a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Healthy,
    Dead,
    Recovered,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(u16),
    /// No answer at all.
    Lost,
}

/// One call at the first hop. Times are since the beginning of the scene.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    /// When it began.
    pub(crate) phase: Phase,
    pub(crate) at: Duration,
    pub(crate) took: Duration,
    pub(crate) answer: Answer,
}

/// The counters at one moment. Of the pairs the first is of the first hop's client.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    pub(crate) at: Duration,
    /// Attempts at the last hop that have ended.
    pub(crate) sends: u64,
    /// Requests the last hop had from a half-open breaker.
    pub(crate) probes: u64,
    /// How often each breaker has opened.
    pub(crate) opened: [u64; 2],
    pub(crate) breakers: [Option<Snapshot>; 2],
}

#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) calls: Vec<Call>,
    pub(crate) sights: Vec<Sight>,
    begins: Vec<(Phase, Duration)>,
}

impl Record {
    pub(crate) fn begin(&mut self, phase: Phase, at: Duration) {
        self.begins.push((phase, at));
    }

    /// When a phase began and ended.
    pub(crate) fn span(&self, phase: Phase) -> (Duration, Duration) {
        let at = self
            .begins
            .iter()
            .position(|(begun, _)| *begun == phase)
            .unwrap_or(0);
        let begun = self.begins.get(at).map_or(Duration::ZERO, |(_, at)| *at);
        let ended = self.begins.get(at + 1).map_or(self.length(), |(_, at)| *at);
        (begun, ended)
    }

    pub(crate) fn length(&self) -> Duration {
        self.sights.last().map_or(Duration::ZERO, |sight| sight.at)
    }

    pub(crate) fn of(&self, phase: Phase) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |call| call.phase == phase)
    }

    /// The last sight before `at`, or the first of all.
    pub(crate) fn sight(&self, at: Duration) -> Option<&Sight> {
        let before = self.sights.iter().take_while(|sight| sight.at <= at).last();
        before.or(self.sights.first())
    }

    /// How much a counter grew between two moments.
    pub(crate) fn growth(
        &self,
        (from, to): (Duration, Duration),
        counter: impl Fn(&Sight) -> u64,
    ) -> u64 {
        let at = |moment| self.sight(moment).map_or(0, &counter);
        at(to).saturating_sub(at(from))
    }

    /// The time a share of the calls did not exceed.
    pub(crate) fn quantile(&self, phase: Phase, percent: usize) -> Duration {
        let mut times: Vec<Duration> = self.of(phase).map(|call| call.took).collect();
        times.sort_unstable();
        let rank = times.len().saturating_sub(1) * percent / 100;
        times.get(rank).copied().unwrap_or_default()
    }

    fn count(&self, phase: Phase, answers: impl Fn(Answer) -> bool) -> usize {
        self.of(phase).filter(|call| answers(call.answer)).count()
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| phase | calls | 200 | 502 | 503 | 504 | lost | sends at the last hop | per call | p50 | p99 | longest | deadline |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|---|---|---|---|---|---|")?;
        for phase in [Phase::Healthy, Phase::Dead, Phase::Recovered] {
            let calls = self.count(phase, |_| true);
            let sends = self.growth(self.span(phase), |sight| sight.sends);
            let with = |status| self.count(phase, |answer| answer == Answer::Status(status));
            let known = [200, 502, 503, 504].map(with);
            let lost = calls - known.iter().sum::<usize>();
            let [ok, bad, unavailable, late] = known;
            let millis = |percent| {
                format!(
                    "{:.1} ms",
                    self.quantile(phase, percent).as_secs_f64() * 1e3
                )
            };
            writeln!(
                f,
                "| {phase:?} | {calls} | {ok} | {bad} | {unavailable} | {late} | {lost} | {sends} | {:.3} | {} | {} | {} | {} ms |",
                share(sends, calls),
                millis(50),
                millis(99),
                millis(100),
                DEADLINE.as_millis(),
            )?;
        }
        Ok(())
    }
}

/// Sends per call.
#[expect(clippy::cast_precision_loss, reason = "counts of a minute")]
pub(crate) fn share(sends: u64, calls: usize) -> f64 {
    sends as f64 / calls.max(1) as f64
}
