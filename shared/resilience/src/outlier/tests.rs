use super::*;
use crate::testing::ManualClock;
use proptest::prelude::*;

/// Endpoints under one judge, with a clock.
struct Peer {
    clock: ManualClock,
    outliers: Outliers,
    endpoints: Vec<Standing>,
}

impl Peer {
    fn of(endpoints: usize) -> Self {
        Self::with(&OutlierSettings::default(), endpoints)
    }

    fn with(settings: &OutlierSettings, endpoints: usize) -> Self {
        let clock = ManualClock::new();
        let outliers = Outliers::new(settings, clock.now(), 7).unwrap();
        let endpoints = (0..endpoints).map(|_| outliers.newcomer()).collect();
        Self {
            clock,
            outliers,
            endpoints,
        }
    }

    fn record(&self, endpoint: usize, ok: bool) -> Option<Duration> {
        let (standing, now) = (&self.endpoints[endpoint], self.clock.now());
        self.outliers.record(standing, &self.endpoints, ok, now)
    }

    /// Lets `failed` of `calls` fail, the good ones first; the length of the ejection, if any.
    fn calls(&self, endpoint: usize, calls: u32, failed: u32) -> Option<Duration> {
        let outcomes = (0..calls).map(|i| i < calls - failed);
        outcomes.fold(None, |length, ok| self.record(endpoint, ok).or(length))
    }

    fn ejected(&self) -> Vec<usize> {
        let now = self.clock.now();
        let ejected = |i: &usize| self.outliers.is_ejected(&self.endpoints[*i], now);
        (0..self.endpoints.len()).filter(ejected).collect()
    }
}

#[test]
fn an_endpoint_that_fails_while_its_peers_do_not_is_ejected() {
    let peer = Peer::of(3);
    peer.calls(0, 100, 0);
    peer.calls(2, 100, 1);
    assert!(peer.calls(1, 20, 9).is_none());
    assert!(
        peer.record(1, false).is_none(),
        "10 of 21 are less than half"
    );
    assert!(peer.record(1, false).is_some());
    assert_eq!(peer.ejected(), [1]);
}

#[test]
fn endpoints_that_fail_as_often_as_the_others_all_stay() {
    let peer = Peer::of(3);
    for _ in 0..100 {
        for endpoint in 0..3 {
            peer.record(endpoint, true);
            peer.record(endpoint, false);
            peer.record(endpoint, false);
        }
    }
    assert_eq!(peer.ejected(), [0; 0]);
}

#[test]
fn few_calls_say_nothing_of_an_endpoint_nor_of_the_others() {
    let peer = Peer::of(2);
    peer.calls(0, 100, 0);
    peer.calls(1, 19, 19);
    assert_eq!(peer.ejected(), [0; 0]);

    let peer = Peer::of(2);
    peer.calls(0, 19, 0);
    peer.calls(1, 100, 100);
    assert_eq!(peer.ejected(), [0; 0]);
}

#[test]
fn calls_are_forgotten_after_the_window() {
    let peer = Peer::of(2);
    peer.calls(1, 15, 15);
    peer.clock.advance(Duration::from_secs(11));
    peer.calls(0, 100, 0);
    peer.calls(1, 15, 15);
    assert_eq!(peer.ejected(), [0; 0]);
    peer.calls(1, 5, 5);
    assert_eq!(peer.ejected(), [1]);
}

#[test]
fn the_last_endpoint_is_never_ejected_and_at_most_half_are() {
    for (endpoints, most) in [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (7, 3)] {
        let peer = Peer::of(endpoints);
        peer.calls(0, 1_000, 0);
        for endpoint in 1..endpoints {
            peer.calls(endpoint, 20, 20);
        }
        assert_eq!(peer.ejected().len(), most, "of {endpoints}");
    }
}

#[test]
fn an_ejected_endpoint_is_back_by_time_with_a_clean_sheet() {
    let peer = Peer::of(2);
    peer.calls(0, 100, 0);
    let length = peer.calls(1, 20, 20).unwrap();
    let left = |peer: &Peer| {
        peer.outliers
            .ejected_for(&peer.endpoints[1], peer.clock.now())
    };
    assert_eq!(left(&peer), Some(length));
    assert_eq!(peer.calls(1, 20, 20), None, "ejected already");
    let moment = Duration::from_millis(1);
    peer.clock.advance(length.saturating_sub(moment));
    assert_eq!(left(&peer), Some(moment));
    peer.clock.advance(moment);
    assert_eq!((left(&peer), peer.ejected()), (None, vec![]));
    peer.calls(0, 100, 0);
    peer.calls(1, 19, 19);
    assert_eq!(peer.ejected(), [0; 0]);
}

/// Ejected, back, and at once failing again.
fn ejected_again(peer: &Peer) -> Duration {
    peer.calls(0, 100, 0);
    let length = peer.calls(1, 20, 20).unwrap();
    peer.clock.advance(length);
    length
}

#[test]
fn each_ejection_is_longer_up_to_the_cap_and_jitter_takes_off_at_most_half() {
    let peer = Peer::of(2);
    for ejection in 1..=20 {
        let length = ejected_again(&peer);
        let longest = Duration::from_secs((30 * ejection).min(300));
        assert!(
            length <= longest && length >= longest / 2,
            "{length:?} of {longest:?}"
        );
    }
}

#[test]
fn ejections_are_forgotten_one_by_one_while_the_endpoint_stays_in() {
    let peer = Peer::of(2);
    for _ in 0..6 {
        ejected_again(&peer);
    }
    peer.clock.advance(Duration::from_mins(2));
    let longest = Duration::from_secs(30 * 3);
    let length = ejected_again(&peer);
    assert!(length <= longest && length >= longest / 2, "{length:?}");
    peer.clock.advance(Duration::from_hours(1));
    assert!(ejected_again(&peer) <= Duration::from_secs(30));
}

#[test]
fn the_dice_spread_the_returns() {
    let lengths: std::collections::BTreeSet<_> = (0..50)
        .map(|seed| {
            let mut peer = Peer::of(2);
            let now = peer.clock.now();
            peer.outliers = Outliers::new(&OutlierSettings::default(), now, seed).unwrap();
            ejected_again(&peer)
        })
        .collect();
    assert!(lengths.len() > 45, "{lengths:?}");
}

#[test]
fn with_no_share_set_nothing_is_ejected() {
    let settings = OutlierSettings {
        failure_percent: 0,
        ..OutlierSettings::default()
    };
    let peer = Peer::with(&settings, 2);
    peer.calls(0, 100, 0);
    peer.calls(1, 100, 100);
    assert_eq!(peer.ejected(), [0; 0]);
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    type Break = fn(&mut OutlierSettings);
    let cases: [(&str, Break); 6] = [
        ("outlier.failure_percent", |s| s.failure_percent = 101),
        ("outlier.margin_points", |s| s.margin_points = 0),
        ("outlier.minimum_calls", |s| s.minimum_calls = 0),
        ("outlier.window_ms", |s| s.window_ms = 999),
        ("outlier.base_ms", |s| s.base_ms = 999),
        ("outlier.max_ms", |s| s.max_ms = 29_999),
    ];
    for (key, spoil) in cases {
        let mut settings = OutlierSettings::default();
        spoil(&mut settings);
        let refused = Outliers::new(&settings, Instant::now(), 7).unwrap_err();
        assert_eq!(refused.key, key);
    }
}

proptest! {
    #[test]
    fn whatever_happens_half_stay_and_one_that_never_fails_stays(
        endpoints in 1..6_usize,
        steps in prop::collection::vec((0..6_usize, 0..10_u8, 0..400_u64), 1..600),
    ) {
        let settings = OutlierSettings { minimum_calls: 3, ..OutlierSettings::default() };
        let peer = Peer::with(&settings, endpoints);
        for (endpoint, outcome, pause_ms) in steps {
            peer.clock.advance(Duration::from_millis(pause_ms));
            let endpoint = endpoint % endpoints;
            // The first never fails; the others do the more often the later they come.
            let ok = usize::from(outcome) >= endpoint * 2;
            if let Some(length) = peer.record(endpoint, ok) {
                prop_assert!(length <= Duration::from_millis(settings.max_ms));
                prop_assert!(length >= Duration::from_millis(settings.base_ms / 2));
            }
            let ejected = peer.ejected();
            prop_assert!(ejected.len() * 2 <= endpoints && ejected.len() < endpoints);
            prop_assert!(!ejected.contains(&0));
        }
    }
}
