//! The limit that moves with what calls say of the peer.

use super::*;
use crate::testing::rng;
use futures_util::FutureExt;
use futures_util::future::join;
use proptest::prelude::*;

fn adaptive(max_in_flight: usize, max_queued: usize) -> Bulkhead {
    let settings = BulkheadSettings {
        max_in_flight,
        max_queued,
        adaptive: AdaptiveSettings {
            enabled: true,
            ..AdaptiveSettings::default()
        },
        ..BulkheadSettings::default()
    };
    Bulkhead::new(&settings).unwrap()
}

/// Without waiting, as with no queue nobody does.
fn take(bulkhead: &Bulkhead) -> Option<Slot<'_>> {
    let deadline = Deadline::at(Instant::now());
    bulkhead.acquire(deadline).now_or_never()?.ok()
}

/// The last of the calls ends, if there is one.
fn record(slots: &mut Vec<Slot<'_>>, signal: Signal) {
    if let Some(slot) = slots.pop() {
        slot.record(signal);
    }
}

/// As many calls as the limit lets through, of which the peer can take so many at once.
fn round(bulkhead: &Bulkhead, capacity: usize) {
    let slots: Vec<_> = std::iter::from_fn(|| take(bulkhead)).collect();
    for (number, slot) in slots.into_iter().enumerate() {
        slot.record(if number < capacity {
            Signal::Done
        } else {
            Signal::Lost
        });
    }
}

#[test]
fn a_fixed_limit_does_not_move_whatever_is_lost() {
    let bulkhead = bulkhead(8, 0);
    for capacity in [8, 0, 8] {
        round(&bulkhead, capacity);
        assert_eq!((bulkhead.limit(), bulkhead.in_flight()), (8, 0));
    }
}

#[test]
fn a_loss_takes_a_tenth_off_and_a_round_of_good_calls_adds_one() {
    let bulkhead = adaptive(64, 0);
    let slot = take(&bulkhead).unwrap();
    slot.record(Signal::Lost);
    assert_eq!(bulkhead.limit(), 57);
    round(&bulkhead, 64);
    assert_eq!(bulkhead.limit(), 58);
    let slots: Vec<_> = std::iter::from_fn(|| take(&bulkhead)).collect();
    assert_eq!((slots.len(), bulkhead.in_flight()), (58, 58));
}

#[test]
fn calls_lost_together_count_as_one_loss() {
    let bulkhead = adaptive(64, 0);
    round(&bulkhead, 0);
    assert_eq!(bulkhead.limit(), 57);
    round(&bulkhead, 0);
    assert_eq!(bulkhead.limit(), 51);
}

#[test]
fn slots_that_are_out_when_the_limit_falls_come_back_without_their_place() {
    let bulkhead = adaptive(64, 0);
    let mut slots: Vec<_> = std::iter::from_fn(|| take(&bulkhead)).collect();
    slots.pop().unwrap().record(Signal::Lost);
    assert_eq!((bulkhead.limit(), bulkhead.in_flight()), (57, 63));
    for in_flight in (57..63).rev() {
        assert!(take(&bulkhead).is_none());
        drop(slots.pop());
        assert_eq!(bulkhead.in_flight(), in_flight);
    }
    assert!(take(&bulkhead).is_none());
    drop(slots.pop());
    assert!(take(&bulkhead).is_some());
}

/// A quota that only falls starves its owner for good (aws-sdk-go-v2#3550).
#[test]
fn a_limit_that_fell_to_its_least_refills_when_calls_end_well() {
    let bulkhead = adaptive(64, 0);
    (0..100).for_each(|_| round(&bulkhead, 0));
    assert_eq!(bulkhead.limit(), 4);
    for limit in 5..=64 {
        round(&bulkhead, 64);
        assert_eq!(bulkhead.limit(), limit);
    }
    round(&bulkhead, 64);
    assert_eq!(bulkhead.limit(), 64);
}

/// Limiters that remember a normal latency drift with it (failsafe-go#127).
#[test]
fn the_limit_stays_at_what_the_peer_can_take_however_long_it_runs_and_follows_when_that_changes() {
    let bulkhead = adaptive(64, 0);
    for capacity in [20, 50, 10, 20] {
        (0..100).for_each(|_| round(&bulkhead, capacity));
        for _ in 0..10_000 {
            round(&bulkhead, capacity);
            let limit = bulkhead.limit();
            let around = capacity * 9 / 10 - 1..=capacity + 1;
            assert!(around.contains(&limit), "{limit} for {capacity}");
        }
    }
}

#[test]
fn good_calls_of_a_quiet_hour_do_not_raise_the_limit() {
    let bulkhead = adaptive(64, 0);
    (0..7).for_each(|_| round(&bulkhead, 0));
    let limit = bulkhead.limit();
    let half = limit.div_ceil(2);
    let _others: Vec<_> = (0..half - 2).map(|_| take(&bulkhead).unwrap()).collect();
    for _ in 0..1_000 {
        take(&bulkhead).unwrap().record(Signal::Done);
    }
    assert_eq!(bulkhead.limit(), limit);
    let _one_more = take(&bulkhead).unwrap();
    for _ in 0..limit {
        take(&bulkhead).unwrap().record(Signal::Done);
    }
    assert_eq!(bulkhead.limit(), limit + 1);
}

#[test]
fn a_slot_that_is_dropped_says_nothing() {
    let bulkhead = adaptive(64, 0);
    round(&bulkhead, 0);
    (0..1_000).for_each(|_| drop(take(&bulkhead)));
    let slots: Vec<_> = std::iter::from_fn(|| take(&bulkhead)).collect();
    drop(slots);
    assert_eq!((bulkhead.limit(), bulkhead.in_flight()), (57, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_gets_the_place_that_a_rising_limit_adds() {
    let bulkhead = adaptive(8, 2);
    take(&bulkhead).unwrap().record(Signal::Lost);
    let _others: Vec<_> = (0..6).map(|_| take(&bulkhead).unwrap()).collect();
    (0..6).for_each(|_| take(&bulkhead).unwrap().record(Signal::Done));
    let seventh = take(&bulkhead).unwrap();
    let (first, second) = (bulkhead.acquire(later()), bulkhead.acquire(later()));
    let mut both = Box::pin(join(first, second));
    assert!(both.as_mut().now_or_never().is_none());
    assert_eq!((bulkhead.limit(), bulkhead.queued()), (7, 2));
    seventh.record(Signal::Done);
    assert!(matches!(both.now_or_never(), Some((Ok(_), Ok(_)))));
    assert_eq!(bulkhead.limit(), 8);
}

#[test]
fn adaptive_settings_out_of_range_are_refused_by_name_once_they_are_used() {
    let refused = |adaptive| {
        let settings = BulkheadSettings {
            max_in_flight: 3,
            adaptive,
            ..BulkheadSettings::default()
        };
        Bulkhead::new(&settings).err().map(|refused| refused.key)
    };
    let off = AdaptiveSettings::default();
    assert_eq!(refused(off), None, "4 is more than 3, and not used");
    let on = AdaptiveSettings {
        enabled: true,
        ..off
    };
    assert_eq!(refused(on), Some("bulkhead.adaptive.min_limit"));
    let on = AdaptiveSettings {
        min_limit: 3,
        decrease_percent: 51,
        ..on
    };
    assert_eq!(refused(on), Some("bulkhead.adaptive.decrease_percent"));
}

#[test]
fn threads_that_move_the_limit_at_once_lose_no_place_and_gain_none() {
    let bulkhead = adaptive(64, 0);
    let work = |seed| {
        let (mut rng, mut slots) = (rng(seed), Vec::new());
        for _ in 0..20_000 {
            match rng.u8(0..16) {
                0..8 => slots.extend(take(&bulkhead)),
                8..13 => record(&mut slots, Signal::Done),
                13..15 => drop(slots.pop()),
                _ => record(&mut slots, Signal::Lost),
            }
        }
    };
    for turn in 0..10 {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || work(turn * 4 + thread));
            }
        });
        assert_eq!(bulkhead.in_flight(), 0);
        // A place that came back while the limit fell may still be owed: the next ones pay.
        (0..64).for_each(|_| drop(take(&bulkhead)));
        let slots: Vec<_> = std::iter::from_fn(|| take(&bulkhead)).collect();
        assert_eq!(slots.len(), bulkhead.limit());
    }
}

proptest! {
    #[test]
    fn limit_and_places_agree_whatever_happens(
        max_in_flight in 4..200_usize,
        steps in prop::collection::vec((0..4_u8, 1..40_usize), 1..200),
    ) {
        let bulkhead = adaptive(max_in_flight, 0);
        let mut slots = Vec::new();
        for (action, times) in steps {
            for _ in 0..times {
                match action {
                    0 => {
                        let slot = take(&bulkhead);
                        let room = slots.len() < bulkhead.limit();
                        prop_assert_eq!(slot.is_some(), room);
                        slots.extend(slot);
                    }
                    1 => drop(slots.pop()),
                    2 => record(&mut slots, Signal::Done),
                    _ => record(&mut slots, Signal::Lost),
                }
                prop_assert!((4..=max_in_flight).contains(&bulkhead.limit()));
                prop_assert_eq!(bulkhead.in_flight(), slots.len());
            }
        }
    }
}
