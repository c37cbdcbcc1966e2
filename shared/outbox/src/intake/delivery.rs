//! From a batch to its effects.

use lyceum_contracts::event::Envelope;
use lyceum_contracts::notification::EventReceipt;
use sea_orm::DbErr;
use tracing::Instrument;

use super::arrived::Arrived;
use super::batch::Batch;
use super::store::Seen;

/// Lets the events of a batch have their effects in their order, as many at once as may be.
///
/// `together` says how many of the events it is given, from the first on, `effect` may take in one
/// transaction; `effect` answers for each whether it was new. If that fails for several they are
/// taken one by one, so that one which cannot have its effect holds back none before it.
///
/// The statements of a single event are in the trace of what caused it; those of several are in the
/// trace of the delivery, to which the spans of all of them link.
///
/// # Errors
/// When an event cannot have its effect; those before it have had theirs.
pub async fn take_in(
    batch: &Batch,
    together: impl Fn(&[Envelope]) -> usize,
    effect: impl AsyncFn(&[Arrived<'_>]) -> Result<Vec<Seen>, DbErr>,
) -> Result<EventReceipt, DbErr> {
    let mut receipt = EventReceipt {
        accepted: 0,
        duplicates: 0,
    };
    let mut rest = batch.0.as_slice();
    while !rest.is_empty() {
        let count = together(rest).clamp(1, rest.len());
        let (these, later) = rest.split_at(count);
        let arrived: Vec<_> = these.iter().map(Arrived::new).collect();
        let seen = match &arrived[..] {
            [_] => None,
            several => effect(several)
                .await
                .inspect_err(|error| warn(error, count))
                .ok(),
        };
        match seen {
            Some(seen) => count_in(&mut receipt, &arrived, &seen),
            None => one_by_one(&mut receipt, &arrived, &effect).await?,
        }
        rest = later;
    }
    Ok(receipt)
}

async fn one_by_one(
    receipt: &mut EventReceipt,
    arrived: &[Arrived<'_>],
    effect: impl AsyncFn(&[Arrived<'_>]) -> Result<Vec<Seen>, DbErr>,
) -> Result<(), DbErr> {
    for one in arrived.chunks(1) {
        let span = one[0].span.clone();
        let seen = effect(one).instrument(span).await;
        let seen = seen.inspect_err(|_| one[0].failed())?;
        count_in(receipt, one, &seen);
    }
    Ok(())
}

fn warn(error: &DbErr, events: usize) {
    tracing::warn!(
        event = "event.batch_failed",
        %error,
        events,
        "events had no effect together and are taken in one by one"
    );
}

fn count_in(receipt: &mut EventReceipt, arrived: &[Arrived<'_>], seen: &[Seen]) {
    for (one, seen) in arrived.iter().zip(seen) {
        one.taken_in(*seen);
        match seen {
            Seen::Now => receipt.accepted += 1,
            Seen::Before => receipt.duplicates += 1,
        }
    }
}
